"""The queue: what waits for a person, under a query, with counts and keyset paging."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat, JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from attribution.classifier import FLOOR
from attribution.models import Attribution, Candidate
from reconciliation.holds import HELD, return_due
from reconciliation.models import Break, Difference, GateRefusal, Hold
from reconciliation.rules import DEFAULT_CONFIDENCE, GateRules
from reconciliation.waiting import WAITING
from review.columns import COLUMNS
from review.counting import Counts, count_breaks, is_open
from review.due import DUE, NEVER
from review.ordering import ORDERS, order_of, orders_of
from review.pages.facets import ASSIGNED, facet, tabs
from review.pages.queue_look import look_of
from review.query import WORDS, Asked, BadQuery, asked_of, known_of
from review.query.apply import asked_for
from review.query.words import BANDS
from review.visible import entered_reconciliations, visible_breaks

PAGE = 50
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
class Row:
    """One line of the queue."""

    brk: Break
    field: str
    functional: bool | None
    proof: str
    apart: str
    band: str
    threshold: Decimal
    hold: Hold | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nothing explains it."""
        return self.brk.reason in ("UNKNOWN", "")


def queue(request: HttpRequest) -> HttpResponse:
    """Breaks as the query asks for them, in an order; a query that cannot be read lists nothing and says why."""
    return_due(timezone.now())
    assert isinstance(request.user, User)
    look = look_of(request.user)
    if not request.GET and (first := look.first) is not None:
        return redirect(f"{reverse('queue')}?{first.address}")
    known = {**known_of(lambda: entered_reconciliations(request)), "reason": lambda: ["", *look.reasons]}
    try:
        asked, refused = asked_of(request.GET, known), ""
    except BadQuery as error:
        asked, refused = Asked(), str(error)
    listing = _listing(request, asked, look.reasons, is_refused=bool(refused))
    typed = request.GET.get("q", "") if refused else asked.text
    opened = look.opened(request.GET.get("view", ""))
    columns = (opened.columns if opened else ()) or look.columns
    context = {
        **listing, "refused": refused, "typed": typed, "words": WORDS.values(), "look": look, "opened": opened,
        "columns": columns, "titles": COLUMNS, "back": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "review/queue.html", context, status=400 if refused else 200)


def _listing(
    request: HttpRequest, asked: Asked, reasons: Mapping[str, bool | None], *, is_refused: bool
) -> dict[str, Any]:
    counts = count_breaks(request, asked)
    name = order_of(request.GET.get("order", ""), asked.state)
    order, given = ORDERS[name], request.GET.get("order", "")
    found = order.find(asked_for(visible_breaks(request), asked, request.user.pk), asked, lambda: counts)
    page = order.after(found, request.GET["after"]) if request.GET.get("after") else found
    breaks = (
        []
        if is_refused
        else list(
            page.select_related("reconciliation", "last_run__rule_set", "assignee").annotate(
                hold=Subquery(_open_hold())
            )[: PAGE + 1]
        )
    )
    context: dict[str, Any] = {
        "rows": _rows(breaks[:PAGE]),
        "facets": _facets(request, counts, asked, reasons),
        "tabs": tabs(counts, asked, given),
        "order": given,
        "total": None if counts.is_bounded else counts.total,
        "told": counts.told,
        "asked": asked.query(given),
        "tokens": [
            {"text": it.text, "query": Asked(tuple(other for other in asked.terms if other is not it)).query(given)}
            for it in asked.terms
        ],
        "orders": [
            {"title": it.title, "is_on": key == name, "query": asked.query(key)}
            for key, it in orders_of(asked.state).items()
        ],
        "next": f"{asked.query(given)}&after={order.mark(breaks[PAGE - 1])}" if len(breaks) > PAGE else "",
    }
    if is_refused:
        return context | {"empty": "Nothing is listed until the query can be read.", "total": 0, "told": "0"}
    return context if breaks else context | _emptiness(asked, given)


def _emptiness(asked: Asked, order: str) -> dict[str, str]:
    """Why nothing is shown, and the one thing to do about it."""
    if filters := [it for it in asked.terms if it.word != "state"]:
        state = next((it for it in asked.terms if it.word == "state"), None)
        cleared = Asked((state,) if state else ())
        what = " ".join(it.text for it in filters)
        return {"empty": f"No break matches {what}.", "remedy": "Clear the query", "remedy_query": cleared.query(order)}
    if asked.state == Break.State.REVIEW:
        return {"empty": "Nothing waits for a person."}
    return {"empty": "No break stands here.", "remedy": "Show all states", "remedy_query": "q=state:all"}


def _rows(breaks: Sequence[Break]) -> list[Row]:
    """Each break with its weightiest difference."""
    shown: dict[int, tuple[Difference, Said | None]] = {}
    found = Difference.objects.filter(brk__in=[brk.pk for brk in breaks], current=True).order_by("id")
    for difference in found.annotate(said=Subquery(_attributions())):
        said = Said.of(difference.said)
        held = shown.get(difference.brk_id)
        if held is None or _weight(said) < _weight(held[1]):
            shown[difference.brk_id] = difference, said
    return [_row(brk, *shown.get(brk.pk, (None, None))) for brk in breaks]


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


def _row(brk: Break, difference: Difference | None, said: Said | None) -> Row:
    gate = GateRules.from_document(brk.last_run.rule_set.document.get("gate") or {})
    return Row(
        brk=brk,
        field="whole row" if difference is None or difference.field == Difference.ROW else difference.field,
        functional=said.functional if said else None,
        proof=_proof(said),
        apart=_apart(difference),
        band=SHORT_BANDS.get(brk.band, ""),
        threshold=gate.confidence if gate else DEFAULT_CONFIDENCE,
        hold=_hold(brk.hold),  # type: ignore[attr-defined]
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
    try:
        return f"{Decimal(b) - Decimal(a):+,f}".replace("-", "\u2212")
    except ArithmeticError:
        return _days_apart(a, b)


def _days_apart(a: str, b: str) -> str:
    try:
        days = (dt.date.fromisoformat(b) - dt.date.fromisoformat(a)).days
    except ValueError:
        return ""
    return f"{days:+,} day{'' if abs(days) == 1 else 's'}".replace("-", "\u2212")


def _facets(
    request: HttpRequest, counts: Counts, asked: Asked, functional: Mapping[str, bool | None]
) -> list[dict[str, Any]]:
    titles = {it.code: it.title for it in entered_reconciliations(request)}
    order = request.GET.get("order", "")
    reasons = facet("Reason", "reason", counts, asked, order, {})
    for option in reasons["options"]:
        option["functional"] = functional.get(option["value"])
    due = facet("Due", "due", counts, asked, order, DUE)
    return [
        facet("Kind", "kind", counts, asked, order, dict(Break.Kind.choices)),
        reasons,
        facet("Band", "band", counts, asked, order, BANDS),
        *([due] if is_open(asked) and {it["value"] for it in due["options"]} - {NEVER} else []),
        facet("Assigned", "assigned", counts, asked, order, ASSIGNED),
        facet("Reconciliation", "reconciliation", counts, asked, order, titles),
    ]
