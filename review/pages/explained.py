"""A break's differences with what is said about each: reason, confidence, proof and the three best candidates."""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import FilteredRelation, OuterRef, Q, TextField
from django.db.models.functions import Cast, JSONObject

from attribution.models import Attribution, Candidate
from reconciliation.models import Break, Difference

ROW_TITLE = "the whole row"


@dataclass(frozen=True)
class Likely:
    """A candidate reason with its confidence and what speaks for it."""

    reason: str
    functional: bool | None
    confidence: Decimal
    evidence: str


@dataclass(frozen=True)
class Explained:
    """A current difference; `said` is None before it is attributed."""

    difference: Difference
    said: Attribution | None
    candidates: list[Likely]

    @property
    def field(self) -> str:
        """The field's name; `*row*` for a whole row."""
        return self.difference.field

    @property
    def shown(self) -> str:
        """The field as people read it."""
        return shown_field(self.difference)


def shown_field(difference: Difference) -> str:
    """The field of a difference as people read it."""
    return ROW_TITLE if difference.field == Difference.ROW else difference.field


def explained_differences(brk: Break) -> list[Explained]:
    """The current differences of a break, in one query."""
    candidates = (
        Candidate.objects.filter(attribution=OuterRef("said"))
        .order_by("rank")
        .values(
            told=JSONObject(
                reason="reason_id",
                functional="reason__functional",
                confidence=Cast("confidence", TextField()),
                evidence="evidence",
            )
        )
    )
    current = FilteredRelation("attributions", condition=Q(attributions__current=True))
    differences = brk.differences.filter(current=True).annotate(said=current).select_related("said")  # type: ignore[misc]
    found = differences.annotate(candidates=ArraySubquery(candidates)).order_by("id")
    return [Explained(it, it.said, [_likely(told) for told in it.candidates]) for it in found]


def _likely(told: dict[str, str | bool | None]) -> Likely:
    return Likely(told["reason"], told["functional"], Decimal(told["confidence"]), told["evidence"])  # type: ignore[arg-type]
