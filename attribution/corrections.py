"""Corrections: the confirmed reason of a difference, and the attribution that a person gives it."""

from decimal import Decimal

from django.utils import timezone

from attribution.models import Attribution, Candidate, Correction, Reason
from ingestion import custody
from reconciliation.models import Difference, Run

NO_LABEL = ("UNKNOWN", "PENDING_INVESTIGATION")


def record_correction(
    *, difference: Difference, reason: str, by: str, decision: int | None, run: Run
) -> Correction | None:
    """Write what a final human decision confirmed: the given reason, else the attributed one. UNKNOWN teaches nothing."""
    current = difference.attributions.filter(current=True).first()  # type: ignore[attr-defined]
    confirmed = reason or (current.reason_id if current else "")
    if not confirmed or confirmed in NO_LABEL:
        return None
    predicted = best_reason(current) if current else ""
    if current is None or current.reason_id != confirmed:
        assign_reason(difference=difference, reason=confirmed, by=by, run=run)
    earlier = Correction.objects.filter(difference=difference, active=True)
    ids = list(earlier.values_list("pk", flat=True))
    earlier.update(active=False)
    custody.seal_ids(Correction._meta.db_table, ids)
    correction = Correction.objects.create(
        difference=difference,
        reason_id=confirmed,
        predicted=predicted,
        decision=decision,
        confirmed_by=by,
        confirmed_at=timezone.now(),
    )
    custody.seal([correction])
    return correction


def assign_reason(*, difference: Difference, reason: str, by: str, run: Run) -> Attribution:
    """A person's attribution: certain, and in that person's name; the candidates stay beside it."""
    known = Reason.objects.get(code=reason)
    before = difference.attributions.filter(current=True).first()  # type: ignore[attr-defined]
    Attribution.objects.filter(difference=difference, current=True).update(current=False)
    given = Attribution.objects.create(
        difference=difference,
        reason=known,
        functional=known.functional,
        confidence=Decimal(1),
        proof=before.proof if before is not None and before.reason_id == reason else "",
        assigned_by=f"person:{by}",
        run=run,
        assigned_at=timezone.now(),
    )
    kept = [] if before is None else list(before.candidates.all())
    Candidate.objects.bulk_create(
        Candidate(
            attribution=given, rank=it.rank, reason_id=it.reason_id, confidence=it.confidence, evidence=it.evidence
        )
        for it in kept
    )
    return given


def best_reason(attribution: Attribution) -> str:
    """The top candidate; UNKNOWN only when there is none."""
    top = attribution.candidates.order_by("rank").first()  # type: ignore[attr-defined]
    return str(top.reason_id) if top is not None else attribution.reason_id
