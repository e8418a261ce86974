"""Deciding a break: approve, override or reject. The outcome follows at once, and a correction is written."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from attribution.classifier import band
from attribution.corrections import assign_reason
from ingestion import custody
from ingestion.prepared import PK, prepared
from reconciliation.custody import seal_breaks
from reconciliation.holds import DECIDED, end_hold
from reconciliation.models import Break, Member
from review.decisions.checks import Action, check_action, check_fit, check_right, rejects_a_pass
from review.decisions.confirming import check_same, confirm, void
from review.decisions.locks import lock_break
from review.decisions.outcome import carry_out
from review.decisions.records import check_record, first_rows, flagged_in, record_of
from review.models import Decision, DecisionValue
from review.models.decision import PENDING
from review.recorded import record_decision


@transaction.atomic
def decide(
    *,
    brk: Break,
    action: str,
    by: User,
    reason: str = "",
    values: Mapping[str, str | None] | None = None,
    member: Member | None = None,
    comment: str = "",
    expected_fingerprint: str | None = None,
) -> Decision:
    """Approve, override or reject a break; under four eyes the first person proposes, and a second one who decides the same
    confirms.

    DecisionRefused names what holds it back; nothing is written then.
    """
    brk = lock_break(brk.pk, stores=action != Action.REJECT or rejects_a_pass(brk, action))
    check_right(brk, by, expected_fingerprint)
    check_action(action, reason, values or {})
    check_fit(brk, action, member)
    for proposal in prepared("open proposal", _open_proposal, {PK: brk.pk}):
        if proposal.fingerprint == brk.fingerprint:
            check_same(proposal, action, reason, values or {}, member, by)
            return confirm(decision=proposal, by=by)
        proposal.brk = brk
        void(proposal)
    end_hold(brk, DECIDED, by.pk)
    if action == Action.OVERRIDE and reason == PENDING and not values:
        return _leave_pending(brk, by, comment)
    record = None
    if action != Action.REJECT:
        rows = first_rows(brk)
        record = record_of(brk, rows, values or {}, member)
        check_record(brk, record, flagged_in(brk, rows, record, values or {}, member))
    decision = _write(brk, action, by, reason, values or {}, member, comment, record)
    if decision.confirmed_by_id is not None:
        carry_out(decision)
    return decision


def _open_proposal() -> QuerySet[Decision]:
    return Decision.objects.filter(brk=PK, confirmed_by=None, withdrawn=False)[:1]


def _write(
    brk: Break,
    action: str,
    by: User,
    reason: str,
    values: Mapping[str, str | None],
    member: Member | None,
    comment: str,
    record: Mapping[str, str | None] | None,
) -> Decision:
    now = timezone.now()
    alone = not brk.reconciliation.four_eyes
    decision = Decision.objects.create(
        brk=brk,
        run=brk.last_run,
        fingerprint=brk.fingerprint,
        action=action,
        reason=reason,
        chosen=member,
        comment=comment,
        proposed_by=by,
        proposed_at=now,
        confirmed_by=by if alone else None,
        confirmed_at=now if alone else None,
        four_eyes=brk.reconciliation.four_eyes,
        record=record,
    )
    given = DecisionValue.objects.bulk_create(
        DecisionValue(decision=decision, field=field, value=value) for field, value in values.items()
    )
    custody.seal([decision])
    custody.seal(given)
    action = "decision.made" if alone else "decision.proposed"
    record_decision(action, decision, by, brk=brk, values=dict(values), row=member and str(member))
    return decision


def _leave_pending(brk: Break, by: User, comment: str) -> Decision:
    """Someone is looking into it: the reason says so, the break stays in review."""
    decision = Decision.objects.create(
        brk=brk, run=brk.last_run, fingerprint=brk.fingerprint, action=Action.OVERRIDE, reason=PENDING, comment=comment,
        proposed_by=by, proposed_at=timezone.now(), withdrawn=True,
    )  # fmt: skip
    custody.seal([decision])
    for difference in brk.differences.filter(current=True):
        assign_reason(difference=difference, reason=PENDING, by=by.get_username(), run=brk.last_run)
    brk.band = band(brk.confidence, PENDING) if brk.confidence is not None else ""
    brk.reason = PENDING
    brk.save(update_fields=["band", "reason"])
    seal_breaks([brk.pk])
    record_decision("decision.pending", decision, by, brk=brk)
    return decision
