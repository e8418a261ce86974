"""The queue: what waits for a person, with filters, counts and keyset paging."""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Concat, JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode

from attribution.classifier import FLOOR
from attribution.models import Attribution, Candidate, Reason
from reconciliation.holds import HELD, return_due
from reconciliation.models import Break, Difference, GateRefusal, Hold
from reconciliation.rules import DEFAULT_CONFIDENCE, GateRules
from reconciliation.waiting import WAITING
from review.due import DUE, NEVER
from review.ordering import ORDERS, order_of, orders_of
from review.pages.facets import ASSIGNED, BANDS, COUNTED, Counts, changed, count_breaks, facet, tabs
from review.pages.queue_filters import chosen_of, narrowed_to, searched
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
UNCOUNTED = ("run", "age", "key")


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
    """Breaks as the query string filters and orders them."""
    return_due(timezone.now())
    chosen = chosen_of(request.GET)
    sought = searched(visible_breaks(request), request.GET)
    codes = {it.pk: it.code for it in entered_reconciliations(request)}
    counts = count_breaks(sought, codes, request.user.pk)
    name = order_of(request.GET.get("order", ""), chosen["state"])
    order = ORDERS[name]
    found = order.sort(narrowed_to(sought, chosen, request.user.pk))
    page = order.after(found, request.GET["after"]) if request.GET.get("after") else found
    breaks = list(page.select_related("reconciliation", "last_run__rule_set", "assignee")[: PAGE + 1])
    context: dict[str, Any] = {
        "rows": _rows(breaks[:PAGE]),
        "facets": _facets(request, counts, chosen),
        "tabs": tabs(counts, chosen, request.GET),
        "kept": [(name, value) for name, value in request.GET.items() if name not in ("key", "after")],
        "key": request.GET.get("key", ""),
        "tokens": [
            {"name": name, "value": request.GET[name], "query": changed(request.GET, **{name: ""})}
            for name in _set(request)
            if name != "key"
        ],
        "total": counts.total(chosen),
        "filters": _filters(request),
        "orders": _orders(request, chosen["state"], name),
        "next": changed(request.GET) + f"&after={order.mark(breaks[PAGE - 1])}" if len(breaks) > PAGE else "",
    }
    if not breaks:
        context |= _emptiness(request, chosen)
    return render(request, "review/queue.html", context)


def _orders(request: HttpRequest, state: str, chosen: str) -> list[dict[str, Any]]:
    """The orders that the tab has, and the query string of each."""
    return [
        {"title": it.title, "is_on": name == chosen, "query": changed(request.GET, order=name)}
        for name, it in orders_of(state).items()
    ]


def _filters(request: HttpRequest) -> str:
    """The filters and the order of the address as a query string, for an export of what is listed."""
    return urlencode({name: request.GET[name] for name in (*COUNTED, *UNCOUNTED, "order") if request.GET.get(name)})


def _set(request: HttpRequest) -> list[str]:
    """The names of the filters that are set, beside the state."""
    return [name for name in (*COUNTED[1:], *UNCOUNTED) if request.GET.get(name)]


def _emptiness(request: HttpRequest, chosen: dict[str, str]) -> dict[str, str]:
    """Why nothing is shown, and the one thing to do about it."""
    if filters := _set(request):
        cleared = changed(request.GET, **dict.fromkeys(filters, ""))
        what = ", ".join(f"{name}:{request.GET[name]}" for name in filters)
        return {"empty": f"No break matches {what}.", "remedy": "Clear the filters", "remedy_query": cleared}
    if chosen["state"] == Break.State.REVIEW:
        return {"empty": "Nothing waits for a person."}
    return {"empty": "No break stands here.", "remedy": "Show all states", "remedy_query": "state=all"}


def _rows(breaks: list[Break]) -> list[Row]:
    """Each break with its weightiest difference."""
    differences = Difference.objects.filter(brk__in=[brk.pk for brk in breaks], current=True).order_by("id")
    best = Candidate.objects.filter(attribution=OuterRef("pk"), rank=1).values(
        told=JSONObject(reason="reason", confidence="confidence", evidence="evidence")
    )
    unlike = GateRefusal.objects.filter(
        brk=OuterRef("difference__brk"), condition=Concat(Value("reason:"), OuterRef("difference__field")), current=True
    ).values("detail")[:1]
    current = Attribution.objects.filter(difference__in=differences, current=True)
    current = current.annotate(best=Subquery(best), unlike=Subquery(unlike))
    said: dict[int, Attribution] = {it.difference_id: it for it in current}
    shown: dict[int, Difference] = {}
    for difference in differences:
        held = shown.get(difference.brk_id)
        if held is None or _weight(said.get(difference.pk)) < _weight(said.get(held.pk)):
            shown[difference.brk_id] = difference
    on_hold = [brk.pk for brk in breaks if brk.band == HELD]
    holds = {it.brk_id: it for it in Hold.objects.filter(brk__in=on_hold, ended_at=None)} if on_hold else {}
    return [replace(_row(brk, shown.get(brk.pk), said), hold=holds.get(brk.pk)) for brk in breaks]


def _weight(attribution: Attribution | None) -> tuple[bool, Decimal]:
    """UNKNOWN before all others, then the least sure."""
    return (True, Decimal(2)) if attribution is None else (attribution.reason_id != "UNKNOWN", attribution.confidence)


def _row(brk: Break, difference: Difference | None, said: dict[int, Attribution]) -> Row:
    attribution = said.get(difference.pk) if difference is not None else None
    gate = GateRules.from_document(brk.last_run.rule_set.document.get("gate") or {})
    return Row(
        brk=brk,
        field="whole row" if difference is None or difference.field == Difference.ROW else difference.field,
        functional=attribution.functional if attribution else None,
        proof=_proof(attribution),
        apart=_apart(difference),
        band=SHORT_BANDS.get(brk.band, ""),
        threshold=gate.confidence if gate else DEFAULT_CONFIDENCE,
    )


def _proof(attribution: Attribution | None) -> str:
    """The proof, else what speaks for the best candidate; of what is UNKNOWN, why nothing explains it."""
    if attribution is None:
        return "Not explained yet."
    best: dict[str, Any] = attribution.best or {}  # type: ignore[attr-defined]
    if attribution.proof or attribution.reason_id != "UNKNOWN":
        return attribution.proof or best.get("evidence") or "Nothing turns A into B."
    if not best:
        return "No proof fits, and nothing hints at a reason."
    share = Decimal(str(best["confidence"]))
    if share < FLOOR:
        return f"{best['reason']} {share * 100:.0f} %, under the {FLOOR * 100:.0f} % that a reason needs. {best['evidence']}"
    return f"{best['reason']} {share * 100:.0f} %, but not to be trusted. {attribution.unlike or best['evidence']}"  # type: ignore[attr-defined]


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


def _facets(request: HttpRequest, counts: Counts, chosen: dict[str, str]) -> list[dict[str, Any]]:
    titles = {it.code: it.title for it in entered_reconciliations(request)}
    functional = dict(Reason.objects.values_list("code", "functional"))
    reasons = facet("Reason", "reason", counts, chosen, request.GET, {})
    for option in reasons["options"]:
        option["functional"] = functional.get(option["value"])
    due = facet("Due", "due", counts, chosen, request.GET, DUE)
    return [
        facet("Kind", "kind", counts, chosen, request.GET, dict(Break.Kind.choices)),
        reasons,
        facet("Band", "band", counts, chosen, request.GET, BANDS),
        *([due] if {it["value"] for it in due["options"]} - {NEVER} else []),
        facet("Assigned", "assigned", counts, chosen, request.GET, ASSIGNED),
        facet("Reconciliation", "reconciliation", counts, chosen, request.GET, titles),
    ]
