"""Corrections: the confirmed reason of a difference, and the attribution that a person gives it."""

from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from attribution.models import Attribution, Candidate, Correction, Reason, SecondOpinion
from ingestion import custody
from reconciliation.models import Break, Difference, Run

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
    replaced = _retired(Correction.objects.standing().filter(difference=difference))
    correction = Correction.objects.create(
        difference=difference,
        reason_id=confirmed,
        predicted=predicted,
        decision=decision,
        confirmed_by=by,
        confirmed_at=timezone.now(),
        before=current,
        replaced=replaced,
    )
    custody.seal([correction])
    return correction


def _retired(standing: QuerySet[Correction]) -> Correction | None:
    """The label that stands, which stands no more."""
    label = standing.first()
    if label is not None:
        label.active, label.waiting_since = False, None
        label.save(update_fields=["active", "waiting_since"])
        custody.seal([label])
    return label


def take_back_correction(*, difference: Difference, decision: int) -> None:
    """What a decision confirmed of a difference is a label no more; what was said of it before, and its label, stand again."""
    given = Correction.objects.filter(difference=difference, decision=decision).order_by("id")
    first = given.select_related("replaced").first()
    if first is None:
        return
    _retired(given.standing())
    Attribution.objects.filter(difference=difference, current=True).update(current=False)
    if first.before_id is not None:
        Attribution.objects.filter(pk=first.before_id).update(current=True)
    if (label := first.replaced) is not None:
        open_ = SecondOpinion.objects.filter(correction=label, answered_at=None).first()
        label.active, label.waiting_since = open_ is None, open_.asked_at if open_ else None
        label.save(update_fields=["active", "waiting_since"])
        custody.seal([label])


def weightiest_reason(brk: Break) -> str:
    """The reason that queues show of a break: UNKNOWN before all others, else the one that is least sure."""
    current = Attribution.objects.filter(difference__brk=brk, difference__current=True, current=True)
    said = list(current.order_by("difference").values_list("reason_id", "confidence"))
    if any(reason == "UNKNOWN" for reason, _ in said):
        return "UNKNOWN"
    return str(min(said, key=lambda it: it[1])[0]) if said else ""


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
