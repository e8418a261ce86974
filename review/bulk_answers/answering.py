"""Giving one answer to many quarantined rows, set-based and in one transaction: each row as if it were answered alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.models import Delivery, QuarantinedRow, Repair, Source
from ingestion.quarantine import with_standing
from review.models import BulkAnswer
from review.quarantined import visible_rows
from review.recorded import only_user, record_repairs
from review.repair_rules import (
    RepairRefused,
    check_comment,
    check_confirms,
    check_right,
    check_right_to_confirm,
    check_unsaid,
    check_withdraws,
    needing_second,
)

Action = BulkAnswer.Action
TYPED_FROM = 100  # rows; more than these ask for the number to be typed
GONE = "It is no longer in the quarantine, or not yours to see."
NOTHING_STANDS = "Nothing stands about it."
REPAIRED = "It was repaired, and a repair is confirmed or withdrawn on its own page, where its cells stand."


@dataclass(frozen=True)
class Found:
    """A chosen row as it stands: what was said of it, and what leaves it alone; empty where the answer reaches it."""

    row: QuarantinedRow
    delivery: Delivery
    standing: Repair | None
    refusal: str

    @property
    def source(self) -> Source:
        """Whose row it is."""
        return self.delivery.source


def check_may(action: str, by: User) -> None:
    """RepairRefused for who may not answer so."""
    check_right(by)
    if action == Action.CONFIRM:
        check_right_to_confirm(by)


def look_at(answer: BulkAnswer, by: User) -> list[Found]:
    """Each row that is there for the user, with what the answer would meet."""
    chosen = visible_rows(by).filter(bulk_answers__answer=answer).select_related(None).only("record_number")
    rows = list(with_standing(chosen).annotate(of=F("normalization__delivery")).order_by("pk"))
    deliveries = Delivery.objects.select_related("source").in_bulk({row.of for row in rows})
    ids = {row.standing for row in rows if row.standing is not None}  # type: ignore[attr-defined]
    said = Repair.objects.filter(pk__in=ids).select_related("proposed_by", "confirmed_by").in_bulk()
    found = [(row, said.get(row.standing)) for row in rows]  # type: ignore[attr-defined]
    return [Found(row, deliveries[row.of], it, _refusal(answer.action, it, by)) for row, it in found]


def _refusal(action: str, standing: Repair | None, by: User) -> str:
    """What leaves a row alone, in a sentence."""
    try:
        _check(action, standing, by)
    except RepairRefused as refused:
        return str(refused)
    return ""


def _check(action: str, standing: Repair | None, by: User) -> None:
    if action == Action.DISMISS:
        check_unsaid(standing)
    elif standing is None:
        raise RepairRefused(NOTHING_STANDS)
    elif standing.action == Repair.Action.REPAIR:
        raise RepairRefused(REPAIRED)
    elif action == Action.CONFIRM:
        check_confirms(standing, by)
    else:
        check_withdraws(standing, by)


@transaction.atomic
def answer_all(*, answer: BulkAnswer, by: User, comment: str = "", count: int = 0) -> BulkAnswer:
    """Give a preview's answer to each of its rows; sent again it is not given again. `count` is the number of rows, which has to be
    named where they are many. Rows that moved on since are left alone, each with why. RepairRefused: nothing was written."""
    answer = BulkAnswer.objects.select_for_update().get(pk=answer.pk)  # a double click waits here
    if answer.answered_at is not None:
        return answer
    check_may(answer.action, by)
    check_comment(comment, needed=answer.action == Action.DISMISS)
    if answer.rows > TYPED_FROM and count != answer.rows:
        raise RepairRefused(
            f"That is {answer.rows:,} rows. Type the number {answer.rows} to say that you mean them all."
        )
    _lock_deliveries(answer)
    found = look_at(answer, by)
    reached = [it for it in found if not it.refusal]
    answer.answered_at, answer.comment = timezone.now(), comment.strip()
    made = _said_of_each(answer, reached, by)
    refused = {it.row.pk: it.refusal for it in found if it.refusal}
    _settle(answer, {it.row.pk: repair.pk for it, repair in zip(reached, made, strict=True)}, refused)
    answer.done, answer.skipped = len(made), answer.rows - len(made)
    answer.save()
    custody.seal([answer])
    said = [(repair, it.row, it.delivery) for it, repair in zip(reached, made, strict=True)]
    _record(answer, said, {it.source for it in found}, by)
    return answer


def _lock_deliveries(answer: BulkAnswer) -> None:
    """After whoever works on one of its deliveries has ended; in one order, so that nobody waits in a circle."""
    of = answer.results.order_by().values("row__normalization__delivery").distinct()
    list(Delivery.objects.select_for_update(no_key=True).filter(pk__in=of).order_by("pk").values_list("pk"))


def _said_of_each(answer: BulkAnswer, reached: Sequence[Found], by: User) -> list[Repair]:
    """The repairs, written: made, confirmed or withdrawn."""
    if answer.action == Action.DISMISS:
        return _dismissed(answer, reached, by)
    said = [it.standing for it in reached if it.standing is not None]
    for it in said:
        if answer.action == Action.CONFIRM:
            it.confirmed_by, it.confirmed_at = by, answer.answered_at
        else:
            it.withdrawn = True
    changes = {"confirmed_by": by, "confirmed_at": answer.answered_at}
    rows = Repair.objects.filter(pk__in=[it.pk for it in said])
    rows.update(**(changes if answer.action == Action.CONFIRM else {"withdrawn": True}))
    custody.seal(said)
    return said


def _dismissed(answer: BulkAnswer, reached: Sequence[Found], by: User) -> list[Repair]:
    second, now = needing_second(it.source.pk for it in reached), answer.answered_at or timezone.now()
    repairs = [
        Repair(
            row=it.row,
            action=Repair.Action.DISMISS,
            comment=answer.comment,
            proposed_by=by,
            proposed_at=now,
            four_eyes=it.source.pk in second,
            confirmed_by=None if it.source.pk in second else by,
            confirmed_at=None if it.source.pk in second else now,
        )  # fmt: skip
        for it in reached
    ]
    made = Repair.objects.bulk_create(repairs, batch_size=2000)
    custody.seal_ids(Repair._meta.db_table, [it.pk for it in made], first=True)
    return made


def _settle(answer: BulkAnswer, done: dict[int, int], refused: dict[int, str]) -> None:
    """Give each row its result, in one statement; those that were not found any more are gone."""
    ids = [*done, *refused]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE review_bulkanswerrow r SET repair_id = t.repair, said = coalesce(t.said, CASE WHEN t.repair IS NULL THEN %s "
            "ELSE '' END) FROM review_bulkanswerrow w LEFT JOIN unnest(%s::bigint[], %s::bigint[], %s::text[]) AS t (row, repair, said) "
            "ON t.row = w.row_id WHERE w.id = r.id AND r.answer_id = %s",
            [GONE, ids, [done.get(pk) for pk in ids], [refused.get(pk) for pk in ids], answer.pk],
        )


def _record(
    answer: BulkAnswer, said: Sequence[tuple[Repair, QuarantinedRow, Delivery]], sources: set[Source], by: User
) -> None:
    """An event of each row, as if it were answered alone, and one of the whole."""
    names = {Action.CONFIRM: "repair.confirmed", Action.WITHDRAW: "repair.withdrawn"}
    proposed = [it for it in said if it[0].confirmed_by_id is None]
    made = [it for it in said if it[0].confirmed_by_id is not None]
    if answer.action == Action.DISMISS:
        record_repairs("repair.proposed", proposed, by, answer=answer.pk)
        record_repairs("repair.made", made, by, answer=answer.pk)
    else:
        record_repairs(names[Action(answer.action)], said, by, answer=answer.pk)
    after = {"action": answer.action, "comment": answer.comment, "chosen": answer.told, "rows": answer.rows}
    record_event(
        "rows.answered", of=answer, by=by, reconciliation=only_user(sources.pop()) if len(sources) == 1 else None,
        after={**after, "done": answer.done, "skipped": answer.skipped},
    )  # fmt: skip


def reasons_left_alone(answer: BulkAnswer, found: Sequence[Found]) -> list[tuple[str, int]]:
    """Why rows are left alone, the most first."""
    counts = Counter(it.refusal for it in found if it.refusal)
    if gone := answer.rows - len(found):
        counts[GONE] = gone
    return counts.most_common()
