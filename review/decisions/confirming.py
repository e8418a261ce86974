"""The second person: confirming a proposal, or taking it back."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingestion import custody
from reconciliation.models import Break, Member
from review.decisions.checks import rejects_a_pass
from review.decisions.locks import lock_decision
from review.decisions.outcome import carry_out
from review.decisions.records import check_record, first_rows, flagged_in
from review.decisions.refusals import AlreadyDecided, DecisionRefused, OwnProposal, told_of
from review.decisions.voiding import end_proposal, void
from review.models import Decision
from review.recorded import record_decision
from review.rights import CONFIRMS

TOLD = 4  # changed fields that a sentence names


def confirm(*, decision: Decision, by: User) -> Decision:
    """Confirm another person's proposal; its outcome follows. Where the values changed since, the proposal is void from then
    on, and AlreadyDecided says so."""
    with transaction.atomic():
        stores = decision.record is not None or rejects_a_pass(decision.brk, decision.action)
        brk, decision = _open_proposal(decision, stores=stores)
        if decision.proposed_by_id == by.pk:
            raise OwnProposal("Nobody confirms their own proposal. Another person must.")
        if not by.has_perm(CONFIRMS):
            raise DecisionRefused("A Supervisor or a Manager confirms a proposal.")
        if decision.fingerprint == brk.fingerprint:
            return _confirmed(decision, brk, by)
        void(decision)
    raise AlreadyDecided(
        f"The values changed since this was proposed, so the proposal is void{_told(decision)}. Look at the break again.",
        decision,
    )


def _told(decision: Decision) -> str:
    changes = decision.void_changes or []
    named = ", ".join(f"{side.upper()} {field}" for side, field, *_ in changes[:TOLD])
    more = f" and {len(changes) - TOLD} more" if len(changes) > TOLD else ""
    return f": {named}{more}" if named else ""


@transaction.atomic
def withdraw(*, decision: Decision, by: User) -> Decision:
    """Take a proposal back: who made it, or who may confirm it. The break can be decided anew then."""
    _, decision = _open_proposal(decision, stores=False)
    if decision.proposed_by_id != by.pk and not by.has_perm(CONFIRMS):
        raise DecisionRefused(f"{decision.proposed_by}, a Supervisor or a Manager withdraws this proposal.")
    end_proposal(decision, by)
    return decision


def _open_proposal(decision: Decision, *, stores: bool) -> tuple[Break, Decision]:
    """The break and its proposal, both held; AlreadyDecided where it is none any more."""
    brk, decision = lock_decision(decision, stores=stores)
    if decision.confirmed_by_id is not None:
        raise AlreadyDecided(f"This proposal was confirmed already {told_of(decision)}.", decision)
    if decision.withdrawn:
        raise AlreadyDecided(_closed(decision), decision)
    return brk, decision


def _closed(decision: Decision) -> str:
    if decision.void_because is not None:
        return f"This proposal is no longer open. {decision.void_because}"
    who = f" {decision.withdrawn_by} withdrew it." if decision.withdrawn_by_id else ""
    return f"This proposal is no longer open.{who}"


def _confirmed(decision: Decision, brk: Break, by: User) -> Decision:
    if decision.record is not None:
        given = dict(decision.values.values_list("field", "value"))
        flagged = flagged_in(brk, first_rows(brk), decision.record, given, decision.chosen)
        check_record(brk, decision.record, flagged)
    decision.confirmed_by, decision.confirmed_at = by, timezone.now()
    decision.save(update_fields=["confirmed_by", "confirmed_at"])
    custody.seal([decision])
    carry_out(decision)
    record_decision("decision.confirmed", decision, by, brk=brk)
    return decision


def check_same(
    proposal: Decision, action: str, reason: str, values: Mapping[str, str | None], member: Member | None, by: User
) -> None:
    """Whether this is what another person proposed; AlreadyDecided where it is something else, or one's own."""
    proposed = (
        proposal.action,
        proposal.reason,
        dict(proposal.values.values_list("field", "value")),
        proposal.chosen_id,
    )
    if proposed != (action, reason, dict(values), member.pk if member else None):
        raise AlreadyDecided(
            f"A proposal waits for a second person: {proposal.action} by {proposal.proposed_by}. "
            "Decide the same to confirm it, or withdraw it first on the page of the break.",
            proposal,
        )
    if proposal.proposed_by_id == by.pk:
        raise AlreadyDecided(
            "You proposed this already. Nobody confirms their own proposal; another person must.", proposal
        )
