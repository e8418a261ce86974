"""Waiving a failed check."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingestion import custody
from ingestion.suggestion import nearest_end
from reconciliation.models import Break
from review.decisions.refusals import DecisionRefused
from review.models import Waiver
from review.recorded import record_waiver


@transaction.atomic
def waive(*, brk: Break, condition: str, by: User, comment: str) -> Waiver:
    """Let one failed check of a break be, with a comment."""
    brk = Break.objects.select_for_update().get(pk=brk.pk)
    if not by.has_perm("review.waive_check"):
        raise DecisionRefused("Only a Manager waives a check.")
    if not comment.strip():
        raise DecisionRefused("A waiver needs a comment that says why.")
    if brk.state != Break.State.REVIEW:
        raise DecisionRefused(f"This break is {brk.get_state_display().lower()}; there is nothing to waive.")
    checks = brk.refusals.filter(condition__startswith="check:", current=True).values_list("condition", flat=True)
    if condition not in checks:
        raise DecisionRefused(f"No check {condition[:120]!r} holds this break back{nearest_end(condition, checks)}")
    waiver, is_new = Waiver.objects.get_or_create(
        brk=brk,
        condition=condition,
        fingerprint=brk.fingerprint,
        defaults={"comment": comment.strip(), "waived_by": by, "waived_at": timezone.now()},
    )
    custody.seal([waiver])
    if is_new:
        record_waiver(waiver, brk)
    return waiver
