"""What the audit log says of decisions and repairs, in one form: the break or the row, its run and reconciliation, what was said."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.db.models import Q

from ingestion.audit_log import Told, record_event, record_events
from ingestion.models import Delivery, QuarantinedRow, Repair, Source
from reconciliation.models import Break, Reconciliation
from review.models import Comment, Decision, Waiver


def record_decision(
    action: str, decision: Decision, by: User | None, *, brk: Break | None = None, **more: object
) -> None:
    """A decision proposed, made, confirmed or taken back; `more` is what else is told of it."""
    brk = brk or decision.brk
    said = {"decision": decision.pk, "action": decision.action, "reason": decision.reason, "comment": decision.comment}
    if brk.assignee_id is not None and by is not None and brk.assignee_id != by.pk:
        more["assigned_to"] = str(brk.assignee)
    record_event(
        action, of=brk, by=by, name=_named(brk), run=decision.run_id, reconciliation=brk.reconciliation_id,
        after={name: value for name, value in {**said, **more}.items() if value not in ("", None, {})},
    )  # fmt: skip


def record_waiver(waiver: Waiver, brk: Break) -> None:
    """A failed check that somebody let be."""
    record_event(
        "check.waived", of=brk, by=waiver.waived_by, name=_named(brk), run=brk.last_run_id,
        reconciliation=brk.reconciliation_id, after={"condition": waiver.condition, "comment": waiver.comment},
    )  # fmt: skip


def record_comment(action: str, comment: Comment, by: User, **more: object) -> None:
    """What somebody said of a break, or took back."""
    brk = comment.brk
    record_event(
        action, of=brk, by=by, name=_named(brk), run=brk.last_run_id, reconciliation=brk.reconciliation_id,
        after={"comment": comment.pk, **{name: value for name, value in more.items() if value not in ("", None, [])}},
    )  # fmt: skip


def record_repair(action: str, repair: Repair, row: QuarantinedRow, by: User, **more: object) -> None:
    """What was said of a quarantined row."""
    delivery = row.normalization.delivery
    told = _told_of(repair, row, delivery, only_user(delivery.source), more)
    record_event(action, of=row, by=by, name=told.name, reconciliation=told.reconciliation, after=told.after)


def record_repairs(
    action: str, said: Sequence[tuple[Repair, QuarantinedRow, Delivery]], by: User, **more: object
) -> None:
    """The same of each of many rows, an event a row."""
    users = {source: only_user(source) for source in {delivery.source for *_, delivery in said}}
    told = [_told_of(repair, row, delivery, users[delivery.source], more) for repair, row, delivery in said]
    record_events(action, told, by=by)


def _told_of(
    repair: Repair, row: QuarantinedRow, delivery: Delivery, reconciliation: int | None, more: Mapping[str, object]
) -> Told:
    after = {"repair": repair.pk, "action": repair.action, "comment": repair.comment, **more}
    return Told(row, f"{delivery}, record {row.record_number}", reconciliation, after)


def only_user(source: Source) -> int | None:
    """The one reconciliation that uses a source, whose people may see what is recorded; None where several do."""
    using = Reconciliation.objects.filter(Q(a=source) | Q(b=source)).order_by("pk").values_list("pk", flat=True)[:2]
    return using[0] if len(using) == 1 else None


def changed_cells(was: Mapping[str, str | None], cells: Mapping[str, str]) -> dict[str, list[str | None]]:
    """The columns whose cells differ: what came, and what it is now."""
    return {name: [was.get(name), text] for name, text in cells.items() if was.get(name) != text}


def _named(brk: Break) -> str:
    return f"{brk.reconciliation} {brk.key}"
