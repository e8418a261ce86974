"""The lines of the queue: each break with its weightiest difference. A line is drawn from its values alone, so that what was drawn
for one person is shown to everybody who sees the same values."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Concat, JSONObject
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from attribution.classifier import FLOOR
from attribution.models import Attribution, Candidate
from ingestion.exact import number
from ingestion.prepared import MANY_PKS, prepared
from reconciliation.holds import HELD
from reconciliation.models import Break, Difference, GateRefusal, Hold, Reconciliation
from reconciliation.rules import DEFAULT_CONFIDENCE
from reconciliation.waiting import WAITING
from review.due import countdown
from review.templatetags.tieout import age

DRAWN = 4_000  # lines that a process remembers; some 2 kB each
SHORT_BANDS = {
    "straight": "Held",
    "expedited": "Expedited",
    "standard": "Standard",
    "UNKNOWN": "UNKNOWN",
    WAITING: "Waiting",
    HELD: "On hold",
}


@dataclass(frozen=True)
class Said:
    """What is said of a difference now."""

    reason: str
    functional: bool | None
    confidence: Decimal
    proof: str
    best: Mapping[str, Any]
    unlike: str

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> "Said | None":
        """From a document; None where nothing is said yet."""
        if told is None:
            return None
        given = {
            **told,
            "confidence": Decimal(str(told["confidence"])),
            "best": told["best"] or {},
            "unlike": told["unlike"] or "",
        }
        return cls(**given)


@dataclass(frozen=True)
class Line:
    """All that a line shows."""

    pk: int
    fingerprint: str
    key: str
    reconciliation: int
    title: str
    kind: str
    reason: str
    run: int
    amount: Decimal | None
    currency: str
    confidence: Decimal | None
    threshold: Decimal
    band: str
    opened: dt.date
    age: str
    due: str
    is_over: bool
    assignee: str
    is_mine: bool
    held: str
    field: str
    functional: bool | None
    proof: str
    apart: str

    @property
    def is_unknown(self) -> bool:
        """Whether nothing explains it."""
        return self.reason in ("UNKNOWN", "")


@dataclass(frozen=True)
class Row:
    """A break, its line, and how that is drawn."""

    brk: Break
    line: Line
    markup: SafeString


@dataclass(frozen=True)
class Looked:
    """Who looks, and at what: their id, the columns, the query that addresses carry along, whether rows can be checked."""

    me: int | None
    columns: tuple[str, ...]
    asked: str
    picks: bool


@lru_cache(DRAWN)
def _drawn(line: Line, columns: tuple[str, ...], asked: str, *, picks: bool) -> SafeString:
    given = {"row": line, "columns": columns, "asked": asked, "picks": picks}
    return render_to_string("review/queue/row.html", given)


def with_line(breaks: QuerySet[Break]) -> QuerySet[Break]:
    """Breaks with what a line says of them beside their own columns."""
    gate = KeyTextTransform("confidence", KeyTransform("gate", "last_run__rule_set__document"))
    return breaks.annotate(hold=Subquery(_open_hold()), gate_confidence=gate, with_whom=F("assignee__username"))


def rows(breaks: Sequence[Break], by_id: Mapping[int, Reconciliation], looked: Looked) -> list[Row]:
    """Each break of a page, which `with_line` gave, with its line."""
    shown: dict[int, tuple[Difference | None, Said | None]] = {}
    for difference in _differences(breaks):
        said = Said.of(difference.said)  # type: ignore[attr-defined]
        held = shown.get(difference.brk_id)
        if held is None or _weight(said) < _weight(held[1]):
            shown[difference.brk_id] = difference, said
    now = timezone.now()
    lines = [_line(it, by_id[it.reconciliation_id], shown.get(it.pk, (None, None)), looked.me, now) for it in breaks]
    return [
        Row(brk, line, _drawn(line, looked.columns, looked.asked, picks=looked.picks))
        for brk, line in zip(breaks, lines, strict=True)
    ]


def _differences(breaks: Sequence[Break]) -> list[Difference]:
    if len(breaks) > len(MANY_PKS):
        raise ValueError("A page of the queue has more breaks than its query asks for.")
    if not breaks:
        return []
    ids = [it.pk for it in breaks]
    given = dict(zip(MANY_PKS, [*ids, *[0] * (len(MANY_PKS) - len(ids))], strict=True))
    return prepared("differences of lines", _differences_said, given)


def _differences_said() -> QuerySet[Difference]:
    found = Difference.objects.filter(brk__in=MANY_PKS, current=True).order_by("id")
    return found.annotate(said=Subquery(_attributions()))


def _attributions() -> QuerySet[Any]:
    """What is said of a difference, as a document: with the best candidate, and why the gate does not trust its reason."""
    best = Candidate.objects.filter(attribution=OuterRef("pk"), rank=1).values(
        told=JSONObject(reason="reason", confidence="confidence", evidence="evidence")
    )
    unlike = GateRefusal.objects.filter(
        brk=OuterRef("difference__brk"), condition=Concat(Value("reason:"), OuterRef("difference__field")), current=True
    ).values("detail")[:1]
    said = Attribution.objects.filter(difference=OuterRef("pk"), current=True).annotate(
        best=Subquery(best), unlike=Subquery(unlike)
    )
    return said.values(
        told=JSONObject(
            reason="reason_id",
            functional="functional",
            confidence="confidence",
            proof="proof",
            best="best",
            unlike="unlike",
        )
    )


def _weight(said: Said | None) -> tuple[bool, Decimal]:
    """UNKNOWN before all others, then the least sure."""
    return (True, Decimal(2)) if said is None else (said.reason != "UNKNOWN", said.confidence)


def _line(
    brk: Break, of: Reconciliation, shown: tuple[Difference | None, Said | None], me: int | None, now: dt.datetime
) -> Line:
    difference, said = shown
    due = brk.due_at if brk.state == Break.State.REVIEW else None
    hold = _hold(brk.hold)  # type: ignore[attr-defined]
    return Line(
        pk=brk.pk,
        fingerprint=brk.fingerprint,
        key=brk.key,
        reconciliation=of.pk,
        title=of.title,
        kind=brk.kind,
        reason=brk.reason,
        run=brk.last_run_id,
        amount=brk.amount,
        currency=brk.currency,
        confidence=brk.confidence,
        threshold=Decimal(brk.gate_confidence or DEFAULT_CONFIDENCE),  # type: ignore[attr-defined]
        band=SHORT_BANDS.get(brk.band, ""),
        opened=brk.opened_at.date(),
        age=age(brk.opened_at),
        due=countdown(due, now) if due else "",
        is_over=due is not None and due <= now,
        assignee=brk.with_whom or "",  # type: ignore[attr-defined]
        is_mine=brk.assignee_id is not None and brk.assignee_id == me,
        held=f"On hold {hold.awaits}: {hold.note}" if hold else "",
        field="whole row" if difference is None or difference.field == Difference.ROW else difference.field,
        functional=said.functional if said else None,
        proof=hold.note if hold else _proof(said),
        apart=_apart(difference),
    )


def _open_hold() -> QuerySet[Any]:
    """The hold of a break, as a document."""
    return Hold.objects.filter(brk=OuterRef("pk"), ended_at=None).values(
        told=JSONObject(until="until", party="party", note="note")
    )


def _hold(told: dict[str, Any] | None) -> Hold | None:
    if told is None:
        return None
    until = told["until"] and dt.datetime.fromisoformat(told["until"])
    return Hold(until=until, party=told["party"], note=told["note"])


def _proof(said: Said | None) -> str:
    """The proof, else what speaks for the best candidate; of what is UNKNOWN, why nothing explains it."""
    if said is None:
        return "Not explained yet."
    if said.proof or said.reason != "UNKNOWN":
        return said.proof or said.best.get("evidence") or "Nothing turns A into B."
    if not said.best:
        return "No proof fits, and nothing hints at a reason."
    share, reason, evidence = Decimal(str(said.best["confidence"])), said.best["reason"], said.best["evidence"]
    if share < FLOOR:
        return f"{reason} {share * 100:.0f} %, under the {FLOOR * 100:.0f} % that a reason needs. {evidence}"
    return f"{reason} {share * 100:.0f} %, but not to be trusted. {said.unlike or evidence}"


def _apart(difference: Difference | None) -> str:
    """B less A: of numbers the difference, of dates the days."""
    if difference is None or not difference.value_a or not difference.value_b:
        return ""
    a, b = difference.value_a, difference.value_b
    first, second = number(a), number(b)
    if first is None or second is None:
        return _days_apart(a, b)
    return f"{second - first:+,f}".replace("-", "\u2212")


def _days_apart(a: str, b: str) -> str:
    try:
        days = (dt.date.fromisoformat(b) - dt.date.fromisoformat(a)).days
    except ValueError:
        return ""
    return f"{days:+,} day{'' if abs(days) == 1 else 's'}".replace("-", "\u2212")
