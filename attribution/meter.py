"""How far a reconciliation is from its next certificate, in reviews."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from attribution.models import Certificate, ModelVersion
from attribution.rungs import LADDER
from ingestion.prepared import prepared
from reconciliation.models import Reconciliation

SHARE = 0.4  # of the labels is held out (attribution/held_out.py, which only trainings load)


@dataclass(frozen=True)
class Meter:
    """`bound`: of the next certificate; `reviews`: about how many more bring it, None where not with the newest model. `was_tried`: the
    newest model's labels were asked for it; `is_drawn`: of those only what chance drew counted, since records pass."""

    bound: Decimal
    reviews: int | None
    was_tried: bool = False
    is_drawn: bool = False

    def __str__(self) -> str:
        share, looks = f"{self.bound * 100:.0f} %", "blind audits" if self.is_drawn else "reviews"
        if self.reviews is None:
            return f"At {share} more labels alone do not help: the newest model errs too often."
        if not self.reviews and self.was_tried:
            return f"The labels there are all but prove {share}: after some more {looks}, train again."
        if not self.reviews:
            return f"There may be labels enough for {share} by now: train again, under a budget."
        return f"About {_rounded(self.reviews):,} more {looks} bring the certificate of {share}."


def next_certificate(reconciliation: Reconciliation) -> Meter | None:
    """The laxest bound of the ladder that the newest model does not hold; None without a model, or where it holds all."""
    return next_certificates([reconciliation]).get(reconciliation.pk)


def next_certificates(reconciliations: Iterable[Reconciliation]) -> dict[int, Meter]:
    """The same of many, by id, in one query."""
    ids = tuple(it.pk for it in reconciliations)
    meters = {it.reconciliation_id: _meter(it) for it in prepared(("meter", ids), lambda: _newest_models(ids))}
    return {pk: meter for pk, meter in meters.items() if meter is not None}


def _newest_models(ids: Sequence[int]) -> QuerySet[ModelVersion]:
    bounds = Certificate.objects.filter(model_version=OuterRef("pk")).values("bound")
    newest = ModelVersion.objects.filter(reconciliation__in=ids).order_by("reconciliation_id", "-version")
    return newest.distinct("reconciliation_id").annotate(held=ArraySubquery(bounds))


def _meter(model: ModelVersion) -> Meter | None:
    missing = [it for it in LADDER if it not in model.held]  # type: ignore[attr-defined]
    curve, labels = _curve(model.metrics)
    if not missing or not curve:
        return None
    sample = model.metrics.get("sample") or {}
    counted = sample.get("records", labels)
    return Meter(missing[0], _reviews(curve, labels, counted, missing[0]), bool(sample), bool(sample.get("is_drawn")))


@lru_cache(maxsize=256)
def _reviews(curve: tuple[tuple[int, int], ...], labels: int, counted: int, bound: Decimal) -> int | None:
    """Counted once a model: the queue asks with every page."""
    from attribution.statistics.meter import reviews_needed  # its libraries load slowly

    return reviews_needed(curve, labels, float(bound), SHARE, counted)


def _curve(metrics: dict[str, Any]) -> tuple[tuple[tuple[int, int], ...], int]:
    points = (metrics.get("curve") or {}).get("functional_share") or []
    return tuple((passes, errors) for _, passes, errors, *_ in points), metrics.get("labels", 0)


def _rounded(reviews: int) -> int:
    """To two digits: more would claim to know the future."""
    return round(reviews, min(0, 2 - len(str(reviews))))
