"""Proposals that end without a decision: withdrawn by a person, or void because what they were about has changed."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ingestion import custody
from ingestion.alerts import raise_event
from reconciliation.models import Break, Reconciliation
from review.decisions.changes import changes_since
from review.decisions.locks import lock_decision
from review.models import Decision
from review.recorded import record_decision


def void(decision: Decision) -> None:
    """Take back a proposal about values that changed, or about a break that ended, and keep what changed. Its break is held."""
    if decision.brk.state in Break.OPEN_STATES:
        decision.void_because, changes = "The values changed since.", changes_since(decision)
    else:
        decision.void_because, changes = f"The break is {decision.brk.get_state_display().lower()} by now.", []
    decision.void_changes = [list(it) for it in changes]
    _tell(decision)
    end_proposal(
        decision, None, because=decision.void_because, changed=[f"{it.side.upper()} {it.field}" for it in changes]
    )


def _tell(decision: Decision) -> None:
    brk = decision.brk
    raise_event(
        event="proposal.void", mark=f"break {brk.pk}", person=decision.proposed_by, link=brk.get_absolute_url(),
        sentence=f"Your proposal on break {brk.pk} of {brk.reconciliation} is void. {decision.void_because}",
        reconciliation=brk.reconciliation_id, occurrence=f"decision {decision.pk}", now=timezone.now(),
    )  # fmt: skip


def end_proposal(decision: Decision, by: User | None, **more: object) -> None:
    """Note that a proposal is open no more; its break is held."""
    decision.withdrawn, decision.withdrawn_by, decision.withdrawn_at = True, by, timezone.now()
    decision.save(update_fields=["withdrawn", "withdrawn_by", "withdrawn_at", "void_because", "void_changes"])
    custody.seal([decision])
    record_decision("decision.withdrawn" if by else "decision.voided", decision, by, brk=decision.brk, **more)


def void_stale(reconciliation: Reconciliation) -> int:
    """Void the open proposals about values that changed, or about breaks that ended, each in a transaction of its own. Gives how
    many."""
    stands = Q(brk__state=Break.State.REVIEW, brk__fingerprint=F("fingerprint"))
    found = Decision.objects.filter(confirmed_by=None, withdrawn=False, brk__reconciliation=reconciliation)
    return sum(_void_if_stale(it) for it in found.exclude(stands).order_by("pk"))


@transaction.atomic
def _void_if_stale(proposal: Decision) -> bool:
    brk, decision = lock_decision(proposal, stores=False)
    is_open = decision.confirmed_by_id is None and not decision.withdrawn
    if not is_open or brk.state == Break.State.IN_FLIGHT or _stands(decision, brk):
        return False
    void(decision)
    return True


def _stands(decision: Decision, brk: Break) -> bool:
    return brk.state == Break.State.REVIEW and decision.fingerprint == brk.fingerprint
