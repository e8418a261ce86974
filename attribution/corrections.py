"""Corrections: the confirmed reason of a difference, and the attribution that a person gives it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.utils import timezone

from attribution.models import Attribution, Candidate, Correction, Reason, SecondOpinion
from attribution.second_opinions import ask_for_second_opinions
from ingestion import custody
from ingestion.prepared import PK, prepared
from reconciliation.models import Break, Difference, Run

NO_LABEL = ("UNKNOWN", "PENDING_INVESTIGATION")


@dataclass(frozen=True)
class Confirmed:
    """What a final human decision says of a difference: the reason, empty where it keeps the attributed one."""

    difference: Difference
    reason: str
    decision: int | None
    run: Run


def record_corrections(confirmed: Sequence[Confirmed], by: str) -> list[Correction]:
    """Write what a final human decision confirmed of differences, each named once: the given reason, else the attributed one. UNKNOWN
    teaches nothing. A fixed number of queries."""
    current = _current([it.difference.pk for it in confirmed])
    said = {it.difference.pk: it.reason or _reason(current.get(it.difference.pk)) for it in confirmed}
    taught = [it for it in confirmed if said[it.difference.pk] and said[it.difference.pk] not in NO_LABEL]
    if not taught:
        return []
    other = [it for it in taught if _reason(current.get(it.difference.pk)) != said[it.difference.pk]]
    _assign([(it.difference, said[it.difference.pk], it.run) for it in other], current, by)
    replaced = _retired(Correction.objects.standing().filter(difference__in=[it.difference.pk for it in taught]))
    now = timezone.now()
    corrections = Correction.objects.bulk_create(
        Correction(
            difference=it.difference,
            reason_id=said[it.difference.pk],
            predicted=_predicted(current.get(it.difference.pk)),
            decision=it.decision,
            confirmed_by=by,
            confirmed_at=now,
            before=current.get(it.difference.pk),
            replaced=replaced.get(it.difference.pk),
        )
        for it in taught
    )
    custody.seal(corrections)
    ask_for_second_opinions([it.pk for it in corrections])
    return corrections


def _current(differences: Sequence[int]) -> dict[int, Attribution]:
    """What is said of differences now, by difference, each with its `best` candidate."""
    if len(differences) == 1:
        found = prepared("what is said now", lambda: _said_of([PK]), {PK: differences[0]})
    else:
        found = list(_said_of(differences))
    return {it.difference_id: it for it in found}


def _said_of(differences: Sequence[int]) -> QuerySet[Attribution]:
    best = Candidate.objects.filter(attribution=OuterRef("pk")).order_by("rank").values("reason_id")[:1]
    return Attribution.objects.filter(difference__in=differences, current=True).annotate(best=Subquery(best))


def _predicted(said: Attribution | None) -> str:
    """The top candidate; UNKNOWN only when there is none."""
    return "" if said is None else said.best or said.reason_id  # type: ignore[attr-defined]


def _reason(said: Attribution | None) -> str:
    return said.reason_id if said is not None else ""


def _retired(standing: QuerySet[Correction]) -> Mapping[int, Correction]:
    """The labels that stand, by difference; they stand no more."""
    labels = {it.difference_id: it for it in standing}
    for label in labels.values():
        label.active, label.waiting_since = False, None
    if labels:
        Correction.objects.bulk_update(labels.values(), ["active", "waiting_since"])
        custody.seal(labels.values())
    return labels


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
    return _assign([(difference, reason, run)], _current([difference.pk]), by)[0]


def _assign(
    given: Sequence[tuple[Difference, str, Run]], before: Mapping[int, Attribution], by: str
) -> list[Attribution]:
    """The same of many (difference, reason, run)."""
    if not given:
        return []
    prefetch_related_objects([before[it.pk] for it, _, _ in given if it.pk in before], "candidates")
    known = Reason.objects.in_bulk({reason for _, reason, _ in given}, field_name="code")
    Attribution.objects.filter(difference__in=[it.pk for it, _, _ in given], current=True).update(current=False)
    now = timezone.now()
    made = Attribution.objects.bulk_create(
        Attribution(
            difference=difference,
            reason=known[reason],
            functional=known[reason].functional,
            confidence=Decimal(1),
            proof=before[difference.pk].proof if _reason(before.get(difference.pk)) == reason else "",
            assigned_by=f"person:{by}",
            run=run,
            assigned_at=now,
        )
        for difference, reason, run in given
    )
    Candidate.objects.bulk_create(
        Candidate(
            attribution=each, rank=it.rank, reason_id=it.reason_id, confidence=it.confidence, evidence=it.evidence
        )
        for each in made
        for it in (before[each.difference_id].candidates.all() if each.difference_id in before else ())
    )
    return made
