"""Carrying out a bulk decision: claimed work, a chunk of rows a transaction. A row that has its result keeps it, so whoever
goes on after a worker that was killed begins with the first row that has none."""

import time
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.work import LostClaim, claim, finish, give_back, heartbeat
from reconciliation.models import Break, Reconciliation
from review.assigning import AssignRefused, assign_all, check_assignee
from review.bulk.bulks import only_one
from review.bulk.deciding import Asked, Outcome, decide_many, lock_breaks
from review.decisions import DecisionRefused, StoreBusy, withdraw
from review.holding import hold
from review.incidents.standing import settle_incidents
from review.models import BulkDecision, BulkRow, Decision
from review.models.bulk import ASSIGN, HOLD, UNDO
from review.undoing import undo

CHUNK = 100
PAUSE = 0.2  # seconds until breaks that somebody else holds are tried again
UNSEEN = "This break is not among those that you may see any more."
State = BulkRow.State


def work_on(bulk: BulkDecision, seconds: float = float("inf")) -> bool:
    """Claim a bulk decision and carry it out, for so many seconds. Whether there is more to do for who is asked next."""
    work = claim(bulk)
    if work is None:
        return False
    end = time.monotonic() + seconds
    try:
        with heartbeat(work):
            while (settled := _settle_some(work)) is not None:
                if time.monotonic() > end:
                    _pause(work)
                    return True
                time.sleep(0 if settled else PAUSE)
        with transaction.atomic():
            finish(work)
            work.refresh_from_db()
            told = {"done": work.done, "refused": work.refused}
            if work.incident is not None:
                settle_incidents()
            record_event("bulk.ended", of=work, by=work.asked_by, reconciliation=only_one(work), after=told)
    except LostClaim:
        raise
    except BaseException as error:
        give_back(work, error)
        raise
    return False


@transaction.atomic
def _pause(work: BulkDecision) -> None:
    """Let others have their turn. What went on so far is no failed attempt."""
    mine = BulkDecision.objects.filter(pk=work.pk, fence=work.fence, state=BulkDecision.State.RUNNING)
    if mine.update(state=BulkDecision.State.READY, attempts=0, lease_until=None):
        custody.seal([work])


def _settle_some(work: BulkDecision) -> int | None:
    """Give the next rows their results, in one transaction. How many; None where no row waits any more."""
    with transaction.atomic():
        waiting = BulkRow.objects.filter(bulk=work.pk, state=State.WAITING).order_by("position")
        if not waiting.exists():
            return None
        size = 1 if work.action == UNDO else CHUNK
        rows = list(waiting.select_for_update(skip_locked=True)[:size])
        outcomes = _outcomes(work, rows)
        settled = [row for row in rows if row.brk_id in outcomes]
        _write(settled, outcomes)
        _count(work, settled)
    return len(settled)


def _outcomes(work: BulkDecision, rows: Sequence[BulkRow]) -> dict[int, Outcome | None]:
    """By break what was decided or undone, or what refused it; None where it was done without a decision."""
    by = User.objects.get(pk=work.asked_by_id)  # with the rights of now
    ids = [row.brk_id for row in rows]
    of = dict(Break.objects.visible_to(by).filter(pk__in=ids).values_list("pk", "reconciliation_id"))
    outcomes: dict[int, Outcome | None] = {pk: DecisionRefused(UNSEEN) for pk in ids if pk not in of}
    seen = [row for row in rows if row.brk_id in of]
    if work.action == UNDO:
        return outcomes | _undone(work, seen, by)
    if not seen:
        return outcomes
    first = of[seen[0].brk_id]  # rows stand in the order of their reconciliations
    here = {row.brk_id: row.fingerprint for row in seen if of[row.brk_id] == first}
    reconciliation = Reconciliation.objects.select_related("a__record_type", "b").get(pk=first)
    if work.action == ASSIGN:
        return outcomes | _assigned(work, reconciliation, list(here), by)
    if work.action == HOLD:
        return outcomes | _put_on_hold(work, list(here), by)
    reconciliation.record_type.keep_fields()
    breaks = lock_breaks(reconciliation, list(here))
    return outcomes | decide_many(breaks, here, Asked(work.action, work.reason, work.comment, by))


def _assigned(work: BulkDecision, reconciliation: Reconciliation, ids: Sequence[int], by: User) -> dict[int, Any]:
    """Breaks that somebody else holds are left for later."""
    breaks = list(Break.objects.select_for_update(skip_locked=True).filter(pk__in=ids).order_by("pk"))
    for brk in breaks:
        brk.reconciliation = reconciliation
    to = work.assignee_id and User.objects.get(pk=work.assignee_id)
    try:
        check_assignee(to or None, by, [reconciliation])
    except AssignRefused as refused:
        return {brk.pk: refused for brk in breaks}
    return assign_all(breaks, to or None, by)


def _put_on_hold(work: BulkDecision, ids: Sequence[int], by: User) -> dict[int, Any]:
    """Each by the service of one; breaks that somebody else holds are left for later."""
    free = Break.objects.select_for_update(skip_locked=True).filter(pk__in=ids).order_by("pk")
    outcomes: dict[int, Any] = {}
    for brk in list(free):
        try:
            hold(brk=brk, by=by, note=work.comment, until=work.until, party=work.party or "")
            outcomes[brk.pk] = None
        except DecisionRefused as refused:
            outcomes[brk.pk] = refused
    return outcomes


def _undone(work: BulkDecision, rows: Sequence[BulkRow], by: User) -> dict[int, Outcome | None]:
    """Each by the service of one; those whose place in the store a run holds are left for later."""
    outcomes: dict[int, Outcome | None] = {}
    for row in rows:
        try:
            outcomes[row.brk_id] = _undo_one(work, row, by)
        except StoreBusy:
            continue
        except DecisionRefused as refused:
            outcomes[row.brk_id] = refused
    return outcomes


def _undo_one(work: BulkDecision, row: BulkRow, by: User) -> Decision:
    assert row.decision_id is not None
    decision = Decision.objects.get(pk=row.decision_id)
    if decision.confirmed_by_id is None and not decision.withdrawn:
        return withdraw(decision=decision, by=by)
    return undo(decision=decision, by=by, comment=work.comment or f"Undone with {work.undoes}", fresh=work.is_fresh)


def _write(rows: Sequence[BulkRow], outcomes: dict[int, Outcome | None]) -> None:
    if not rows:
        return
    now = timezone.now()
    for row in rows:
        outcome, row.settled_at = outcomes[row.brk_id], now
        if isinstance(outcome, DecisionRefused):
            row.state, row.said = State.REFUSED, str(outcome)
        else:
            row.state, row.decision = State.DONE, outcome
    BulkRow.objects.bulk_update(rows, ["state", "decision", "said", "settled_at"])
    custody.seal(rows)


def _count(work: BulkDecision, rows: Sequence[BulkRow]) -> None:
    """Tell how far it is. LostClaim where another worker has it by now, which takes the whole chunk back."""
    done = sum(row.state == State.DONE for row in rows)
    mine = BulkDecision.objects.filter(pk=work.pk, fence=work.fence, state=BulkDecision.State.RUNNING)
    if not mine.update(done=F("done") + done, refused=F("refused") + len(rows) - done):
        raise LostClaim(f"{work} was taken over by another worker.")
    custody.seal([work])
