"""Bulk decisions: started once from a preview, undone as a whole; a worker carries out the rows."""

import datetime as dt

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.ringing import ring_for
from reconciliation.models import Break, Reconciliation
from review.assigning import check_assignee
from review.decisions import DecisionRefused
from review.decisions.checks import check_action
from review.holding import HoldRefused, check_hold
from review.models import BulkDecision, BulkPreview, BulkRow
from review.models.bulk import ASSIGN, HOLD, UNDO
from review.models.decision import UNDO_FOR
from review.nul import NO_NUL_IN_COMMENT
from review.rights import CONFIRMS, DECIDES

QUEUE = "decisions"
TYPED_FROM = 100  # rows; more than these ask for the number to be typed
NOW, LATER = "now", "later"


class BulkRefused(Exception):
    """A bulk decision that cannot be; the text says why. Nothing was written."""


class BulkConflict(BulkRefused):
    """Another one is under way, or it was done already."""


def visible_bulks(user: User) -> QuerySet[BulkDecision]:
    """Those whose every reconciliation the user sees as a whole, and the user's own where they see a part; newest first."""
    entered = list(Reconciliation.objects.entered_by(user))
    whole = [it.pk for it in entered if it.is_whole]
    seen = Q(reconciliations__contained_by=whole)
    if len(whole) < len(entered):
        seen |= Q(asked_by=user, reconciliations__contained_by=[it.pk for it in entered])
    return BulkDecision.objects.filter(seen).select_related("asked_by", "assignee").order_by("-id")


@transaction.atomic
def start_bulk(
    *,
    preview: BulkPreview,
    action: str,
    by: User,
    reason: str = "",
    comment: str = "",
    typed: str = "",
    assignee: User | None = None,
    until: dt.date | None = None,
    party: str = "",
) -> BulkDecision:
    """Decide every break of a preview, assign them, or put them on hold with the comment as note; a second start of the same preview gives the first one. `typed` is the
    number of breaks, asked for where they are many. BulkRefused says what is missing."""
    BulkPreview.objects.select_for_update().get(pk=preview.pk)  # a double click waits here, and finds the first one
    if (begun := BulkDecision.objects.filter(preview=preview.pk).first()) is not None:
        return begun
    if not by.has_perm(DECIDES):
        raise BulkRefused("Analysts, Supervisors and Managers decide breaks. Ask one of them.")
    if "\0" in comment:
        raise BulkRefused(NO_NUL_IN_COMMENT)
    party = party.strip()
    if action == HOLD:
        _check_hold(comment, until, party)
    else:
        _check_asked(preview, action, reason, assignee, by)
    _check_typed(len(preview.chosen), typed)
    seen = {it["id"]: it["fingerprint"] for it in preview.chosen}
    places = Break.objects.filter(pk__in=seen).order_by("reconciliation_id", "bucket", "pk")
    ordered = list(places.values_list("pk", "reconciliation_id"))
    bulk = BulkDecision.objects.create(
        queue=QUEUE, action=action, reason=reason, comment=comment.strip(), told=preview.told, asked_by=by, assignee=assignee,
        asked_at=timezone.now(), preview=preview.pk, incident=preview.incident,
        until=until if action == HOLD else None, party=(party or None) if action == HOLD else None,
        reconciliations=sorted({of for _, of in ordered}), rows=len(ordered),
    )  # fmt: skip
    _write_rows(
        bulk, [BulkRow(bulk=bulk, position=n, brk_id=pk, fingerprint=seen[pk]) for n, (pk, _) in enumerate(ordered)]
    )
    return bulk


def _check_asked(preview: BulkPreview, action: str, reason: str, assignee: User | None, by: User) -> None:
    try:
        if action == ASSIGN:
            check_assignee(assignee, by, reconciliations_of(preview))
        else:
            check_action(action, reason, {})
    except DecisionRefused as refused:
        raise BulkRefused(str(refused)) from None


def _check_hold(note: str, until: dt.date | None, party: str) -> None:
    try:
        check_hold(note.strip(), until, party, timezone.now())
    except HoldRefused as refused:
        raise BulkRefused(str(refused)) from None


def reconciliations_of(preview: BulkPreview) -> list[Reconciliation]:
    """The reconciliations of the chosen breaks."""
    of = Break.objects.filter(pk__in=[it["id"] for it in preview.chosen]).order_by().values("reconciliation")
    return list(Reconciliation.objects.filter(pk__in=of.distinct()).select_related("team"))


def _check_typed(count: int, typed: str) -> None:
    if count > TYPED_FROM and typed.replace(",", "").strip() != str(count):
        raise BulkRefused(f"That is {count:,} breaks. Type the number {count} to say that you mean all of them.")


def _write_rows(bulk: BulkDecision, rows: list[BulkRow]) -> None:
    made = BulkRow.objects.bulk_create(rows, batch_size=2000)
    custody.seal([bulk])
    custody.seal(made)
    after = {
        "action": bulk.action,
        "reason": bulk.reason,
        "comment": bulk.comment,
        "assignee": (bulk.assignee.get_username() if bulk.assignee else "nobody") if bulk.action == ASSIGN else "",
        "until": bulk.until.isoformat() if bulk.until else "",
        "party": bulk.party or "",
        "chosen": bulk.told,
        "rows": bulk.rows,
    }
    record_event(
        "bulk.undo_asked" if bulk.action == UNDO else "bulk.asked", of=bulk, by=bulk.asked_by,
        reconciliation=only_one(bulk), after={name: value for name, value in after.items() if value != ""},
    )  # fmt: skip
    ring_for("decide_bulk", bulk.pk, queue=QUEUE)


def only_one(bulk: BulkDecision) -> int | None:
    """The one reconciliation that it is about, whose people may see what is recorded; None where there are several."""
    return bulk.reconciliations[0] if len(bulk.reconciliations) == 1 else None


def way_to_undo(bulk: BulkDecision, by: User) -> str:
    """How a user may undo a bulk decision that has ended: `now`, without a word; `later`, with a comment; empty: not at all."""
    if bulk.action in (UNDO, ASSIGN, HOLD) or bulk.is_under_way or not bulk.done or not by.has_perm(DECIDES):
        return ""
    if bulk.finished_at is not None and bulk.asked_by_id == by.pk and timezone.now() <= bulk.finished_at + UNDO_FOR:
        return NOW
    return LATER if by.has_perm(CONFIRMS) else ""


@transaction.atomic
def undo_bulk(*, bulk: BulkDecision, by: User, comment: str = "") -> BulkDecision:
    """Undo every row of a bulk decision that stands: at once by who asked for it, later by who may, with a comment; proposals
    that it made are withdrawn. Each row has its own result. BulkRefused says what is missing."""
    bulk = BulkDecision.objects.select_for_update().get(pk=bulk.pk)
    way = way_to_undo(bulk, by)
    if not way:
        raise BulkRefused(_why_not(bulk, by))
    if "\0" in comment:
        raise BulkRefused(NO_NUL_IN_COMMENT)
    if way == LATER and not comment.strip():
        raise BulkRefused("Say in a comment why it is undone.")
    done = bulk.results.filter(state=BulkRow.State.DONE, decision__undone_by=None, decision__withdrawn=False)
    rows = list(done.order_by("-position").values_list("brk_id", "fingerprint", "decision_id"))
    if not rows:
        raise BulkConflict("Nothing of it stands any more; there is nothing to undo.")
    try:
        with transaction.atomic():
            undoing = BulkDecision.objects.create(
                queue=QUEUE, action=UNDO, comment=comment.strip(), told=f"Bulk {bulk.pk}", asked_by=by,
                asked_at=timezone.now(), undoes=bulk, is_fresh=way == NOW, incident=bulk.incident,
                reconciliations=bulk.reconciliations, rows=len(rows),
            )  # fmt: skip
    except IntegrityError:  # bulk_decision_one_undo_at_a_time
        raise BulkConflict("It is being undone already.") from None
    _write_rows(
        undoing,
        [
            BulkRow(bulk=undoing, position=n, brk_id=brk, fingerprint=fingerprint, decision_id=decision)
            for n, (brk, fingerprint, decision) in enumerate(rows)
        ],
    )
    return undoing


def _why_not(bulk: BulkDecision, by: User) -> str:
    if not by.has_perm(DECIDES):
        return "Analysts, Supervisors and Managers undo decisions. Ask one of them."
    if bulk.action == UNDO:
        return "This is an undoing itself. Decide the breaks anew."
    if bulk.action == ASSIGN:
        return "Nothing was decided here. Assign the breaks to somebody else, or to nobody."
    if bulk.action == HOLD:
        return "Nothing was decided here. Take the breaks off hold, or put them on hold anew."
    if bulk.state in BulkDecision.UNDER_WAY:
        return "It is under way still. Undo it when its last row has its result."
    if not bulk.done:
        return "Nothing was decided by it, so there is nothing to undo."
    seconds = int(UNDO_FOR.total_seconds())
    return f"Only {bulk.asked_by} undoes it in the first {seconds} seconds, later a Supervisor or a Manager, with a comment."
