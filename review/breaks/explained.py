"""A break's differences with what is said about each: reason, confidence, proof and the three best candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, JSONObject

from attribution.models import Attribution, Candidate
from ingestion.prepared import PK, prepared
from reconciliation.models import Break, Difference

ROW_TITLE = "the whole row"
PERSON = "person"  # who assigned a reason, before the colon


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

    @property
    def hint(self) -> str:
        """What speaks for the best candidate; empty where there is none."""
        return self.candidates[0].evidence if self.candidates else ""


def shown_field(difference: Difference) -> str:
    """The field of a difference as people read it."""
    return ROW_TITLE if difference.field == Difference.ROW else difference.field


def proof_sentences(differences: Sequence[Explained]) -> list[str]:
    """What explains them, each with its field where there are several: what is proved, what is likely, what nothing explains, with
    what speaks for the best candidate, and what nobody looked at."""
    named = len(differences) > 1
    said = [it for it in differences if it.said is not None]
    proved = [it.said.proof and _of(it, it.said.proof, named=named) for it in said if it.said]
    open_ = [it for it in said if it.said and not it.said.proof]
    likely = [it for it in open_ if it.said and it.said.reason_id != "UNKNOWN"]
    told = [*filter(None, proved), *(_of(it, _likely_said(it), named=named) for it in likely)]
    if unknown := [it for it in open_ if it not in likely]:
        told.append(f"Nothing turns A's {_joined(unknown)} into B's.")
        told += [_of(it, it.hint, named=named) for it in unknown if it.hint]
    if unseen := [it for it in differences if it.said is None]:
        told.append(f"Not explained yet: {_joined(unseen)}.")
    return told


def _likely_said(it: Explained) -> str:
    """What speaks for the reason that stands; of a person's word, whose it is."""
    assert it.said is not None
    who, _, name = it.said.assigned_by.partition(":")
    if who == PERSON:
        return f"{name} says {it.said.reason_id}."
    best = it.candidates[0].reason if it.candidates else ""
    return (
        f"Likely, not proved: {it.hint}" if best == it.said.reason_id else f"Likely, not proved: {it.said.reason_id}."
    )


def _of(it: Explained, sentence: str, *, named: bool) -> str:
    return f"{it.shown}: {sentence}" if named else sentence


def _joined(differences: Sequence[Explained]) -> str:
    names = [it.shown for it in differences]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def explained_differences(brk: Break) -> list[Explained]:
    """The current differences of a break, in one query."""
    found = prepared("explained", _explained, {PK: brk.pk})
    # Django sets no `said` on a difference that nothing was said of yet, as while a run goes on
    return [Explained(it, getattr(it, "said", None), [_likely(told) for told in it.candidates]) for it in found]  # type: ignore[attr-defined]


def _explained() -> QuerySet[Difference]:
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
    differences = Difference.objects.filter(brk=PK, current=True).annotate(said=current).select_related("said")  # type: ignore[misc]
    return differences.annotate(candidates=ArraySubquery(candidates)).order_by("id")


def _likely(told: dict[str, str | bool | None]) -> Likely:
    return Likely(told["reason"], told["functional"], Decimal(told["confidence"]), told["evidence"])  # type: ignore[arg-type]
