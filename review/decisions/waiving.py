"""Waiving a failed check."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingestion import custody
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
    held = condition.startswith("check:") and brk.refusals.filter(condition=condition, current=True).exists()
    if brk.state != Break.State.REVIEW or not held:
        raise DecisionRefused("No such check holds this break back.")
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
