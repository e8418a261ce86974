"""Undoing a decision: at once by who made it, later by a Supervisor or a Manager who says why.

The decision stays and says that it was undone. Its break stands in review again, what it stored is taken back, and its labels make
room for those before them. Where anything was built on it since, it is not undone.
"""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attribution.corrections import take_back_correction, weightiest_reason
from ingestion import custody
from reconciliation.built_on import built_on
from reconciliation.custody import seal_breaks
from reconciliation.models import Break, Member
from reconciliation.store.tables import StoreRefusal
from reconciliation.store.taking_back import Undone, take_back
from review.decisions import AlreadyDecided, DecisionRefused
from review.decisions.locks import lock_decision
from review.models import Decision
from review.models.decision import UNDO_FOR
from review.nul import NO_NUL_IN_COMMENT
from review.recorded import record_decision
from review.rights import CONFIRMS, DECIDES

DECIDED = (Break.State.APPROVED, Break.State.REJECTED)
NOW, LATER = "now", "later"


@transaction.atomic
def undo(*, decision: Decision, by: User, comment: str = "", fresh: bool = False) -> Decision:
    """Undo a final decision. DecisionRefused says what is missing, AlreadyDecided that it was undone, or that something was built
    on it; nothing is changed then. `fresh`: who made it asked in time, though its turn comes only now, as one of many."""
    brk, decision = lock_decision(decision, stores=True)
    _may_undo(decision, by, comment, fresh=fresh)
    _still_stands(decision)
    if sentence := built_on(brk, decision.confirmed_at):  # type: ignore[arg-type]
        raise AlreadyDecided(f"{sentence} {BUILT_ON}")
    try:
        take_back(Undone(decision.pk, decision.run_id, brk, decision.confirmed_at, decision.record))  # type: ignore[arg-type]
    except StoreRefusal as refusal:
        raise AlreadyDecided(f"{refusal} {BUILT_ON}") from None
    _reopen(decision)
    decision.undone_by, decision.undone_at, decision.undo_comment = by, timezone.now(), comment.strip()
    decision.save(update_fields=["undone_by", "undone_at", "undo_comment"])
    custody.seal([decision])
    record_decision("decision.undone", decision, by, brk=brk, comment=decision.undo_comment)
    return decision


BUILT_ON = "So this decision is not undone; correct the record in the source, and the next run sees it."


def way_to_undo(decision: Decision, by: User, *, fresh: bool = False) -> str:
    """How a user may undo a decision that stands: `now`, without a word; `later`, with a comment; empty: not at all. `fresh` as
    for `undo`."""
    if not (decision.stands and decision.brk.state in DECIDED and by.has_perm(DECIDES)):
        return ""
    if decision.four_eyes and (decision.proposed_by_id == by.pk or not by.has_perm(CONFIRMS)):
        return ""
    if (fresh or _is_fresh(decision)) and decision.confirmed_by_id == by.pk:
        return NOW
    return LATER if by.has_perm(CONFIRMS) else ""


def _is_fresh(decision: Decision) -> bool:
    return decision.confirmed_at is not None and timezone.now() <= decision.confirmed_at + UNDO_FOR


def _may_undo(decision: Decision, by: User, comment: str, *, fresh: bool) -> None:
    if not by.has_perm(DECIDES):
        raise DecisionRefused("Analysts, Supervisors and Managers undo decisions. Ask one of them.")
    if decision.undone_at is not None:
        raise AlreadyDecided(f"{decision.undone_by} undid this decision already. The break stands in review.")
    if decision.withdrawn or decision.confirmed_by_id is None:
        remedy = "It was withdrawn" if decision.withdrawn else "It waits for a second person; withdraw it"
        raise DecisionRefused(f"Nothing followed from this decision that could be undone. {remedy}.")
    if decision.brk.state not in DECIDED:
        raise AlreadyDecided(f"The values changed since, and the break is {_state(decision)} anew. Decide it there.")
    if "\0" in comment:
        raise DecisionRefused(NO_NUL_IN_COMMENT)
    way = way_to_undo(decision, by, fresh=fresh)
    if not way:
        raise DecisionRefused(_who_may(decision, by))
    if way == LATER and not comment.strip():
        raise DecisionRefused("Say in a comment why it is undone.")


def _who_may(decision: Decision, by: User) -> str:
    if decision.four_eyes and decision.proposed_by_id == by.pk:
        return "Nobody undoes what they proposed under four eyes. Another Supervisor or Manager must."
    if decision.four_eyes:
        return "A Supervisor or a Manager undoes what was confirmed under four eyes."
    seconds = int(UNDO_FOR.total_seconds())
    if decision.confirmed_by_id == by.pk:
        return f"The {seconds} seconds are over. A Supervisor or a Manager undoes it now, with a comment."
    return f"Only {decision.confirmed_by} undoes it in the first {seconds} seconds, later a Supervisor or a Manager."


def _state(decision: Decision) -> str:
    return decision.brk.get_state_display().lower()


def _still_stands(decision: Decision) -> None:
    """The break is as the decision left it."""
    brk = decision.brk
    if brk.closed_because != f"decision {decision.pk}":
        raise AlreadyDecided(f"This break stands by {brk.closed_because} now. Undo that one first.")
    if brk.fingerprint != decision.fingerprint:
        raise AlreadyDecided("The values changed since this was decided. Look at the break again.")


def _reopen(decision: Decision) -> None:
    """The break as it stood before: in review, its rows with it, with the reasons and labels of that time."""
    brk = decision.brk
    rows = brk.members.filter(current=True)
    if decision.chosen_id is not None:
        rows.filter(position=1).update(state=Member.State.WITH_BREAK)
        rows.filter(position__gt=1).update(state=Member.State.DUPLICATE)
    for difference in brk.differences.filter(current=True):
        take_back_correction(difference=difference, decision=decision.pk)
    brk.state, brk.closed_at, brk.closed_because = Break.State.REVIEW, None, ""
    brk.reason = weightiest_reason(brk)
    brk.save(update_fields=["state", "closed_at", "closed_because", "reason"])
    seal_breaks([brk.pk])
