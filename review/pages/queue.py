"""The queue: what waits for a person, with filters, counts and keyset paging."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from attribution.models import Attribution
from reconciliation.models import Break, Difference, Reconciliation
from reconciliation.rules import DEFAULT_CONFIDENCE, GateRules

PAGE = 50
BANDS = {"straight": "Held", "expedited": "Expedited", "standard": "Standard", "UNKNOWN": "UNKNOWN"}
FILTERS = ("reconciliation", "kind", "reason", "band", "run", "key")
STATES = (
    ("review", "In review"),
    ("passed", "Passed"),
    ("approved", "Approved"),
    ("rejected", "Rejected"),
    ("all", "All"),
)


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    brk: Break
    field: str
    reason: str
    functional: bool | None
    proof: str
    apart: str
    band: str
    threshold: Decimal

    @property
    def is_unknown(self) -> bool:
        """Whether nothing explains it."""
        return self.reason in ("UNKNOWN", "")


Counted = tuple[str, str, str, int]
FACET_BANDS = {
    "straight": "Above 90 %, held",
    "expedited": "Expedited 70-90 %",
    "standard": "Standard 50-70 %",
    "UNKNOWN": "UNKNOWN",
}


def queue(request: HttpRequest) -> HttpResponse:
    """Breaks as the query string filters them, newest first."""
    chosen = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    state = request.GET.get("state", "review")
    everything = Break.objects.visible_to(request.user)
    found = _filtered(everything if state == "all" else everything.filter(state=state), chosen)
    before = request.GET.get("before", "")
    page = found.filter(pk__lt=int(before)) if before.isdigit() and len(before) < 19 else found
    breaks = list(page.select_related("reconciliation", "last_run__rule_set").order_by("-id")[: PAGE + 1])
    counted = _counted(found)
    context = {
        "rows": _rows(breaks[:PAGE]),
        "facets": _facets(request, found, counted, chosen),
        "tabs": _tabs(request, _filtered(everything, chosen), state),
        "kept": [(name, value) for name, value in request.GET.items() if name not in ("key", "before")],
        "key": chosen.get("key", ""),
        "total": sum(row[-1] for row in counted),
        "next": _query(request, before=str(breaks[PAGE - 1].pk)) if len(breaks) > PAGE else "",
        "empty": "No break matches. Clear a filter." if chosen else "Nothing waits.",
    }
    return render(request, "review/queue.html", context)


def _filtered(breaks: QuerySet[Break], chosen: dict[str, str]) -> QuerySet[Break]:
    for name, value in chosen.items():
        if name == "reconciliation":
            breaks = breaks.filter(reconciliation__code=value)
        elif name == "reason":
            held = Attribution.objects.filter(current=True, reason_id=value, difference__current=True)
            breaks = breaks.filter(pk__in=held.values("difference__brk"))
        elif name == "key":
            breaks = breaks.filter(key__startswith=value)
        elif name == "run":
            breaks = breaks.filter(last_run=int(value)) if value.isdigit() and len(value) < 19 else breaks.none()
        else:
            breaks = breaks.filter(**{name: value})
    return breaks


def _rows(breaks: list[Break]) -> list[Row]:
    """Each break with its weightiest difference."""
    differences = Difference.objects.filter(brk__in=breaks, current=True).order_by("id")
    said = {a.difference_id: a for a in Attribution.objects.filter(difference__in=differences, current=True)}
    first: dict[int, Difference] = {}
    for difference in differences:
        best = first.get(difference.brk_id)
        if best is None or _weight(said.get(difference.pk)) < _weight(said.get(best.pk)):
            first[difference.brk_id] = difference
    return [_row(brk, first.get(brk.pk), said) for brk in breaks]


def _weight(attribution: Attribution | None) -> Decimal:
    return attribution.confidence if attribution is not None else Decimal(2)


def _row(brk: Break, difference: Difference | None, said: dict[int, Attribution]) -> Row:
    attribution = said.get(difference.pk) if difference is not None else None
    gate = GateRules.from_document(brk.last_run.rule_set.document.get("gate") or {})
    return Row(
        brk=brk,
        field="whole row" if difference is None or difference.field == Difference.ROW else difference.field,
        reason=attribution.reason_id if attribution else "",
        functional=attribution.functional if attribution else None,
        proof=(attribution.proof if attribution else "") or "Nothing turns A into B.",
        apart=_apart(difference),
        band=BANDS.get(brk.band, ""),
        threshold=gate.confidence if gate else DEFAULT_CONFIDENCE,
    )


def _apart(difference: Difference | None) -> str:
    """B less A where both are numbers."""
    if difference is None or not difference.value_a or not difference.value_b:
        return ""
    try:
        return f"{Decimal(difference.value_b) - Decimal(difference.value_a):+,f}".replace("-", "\u2212")
    except ArithmeticError:
        return ""


def _query(request: HttpRequest, **changes: str) -> str:
    """The query string with some values changed; an empty value goes."""
    query: QueryDict = request.GET.copy()
    query.pop("before", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return query.urlencode()


def _facets(
    request: HttpRequest, found: QuerySet[Break], counted: list[Counted], chosen: dict[str, str]
) -> list[dict[str, Any]]:
    titles = dict(Reconciliation.objects.visible_to(request.user).values_list("code", "label"))
    reasons = (
        Attribution.objects.filter(current=True, difference__current=True, difference__brk__in=found)
        .values_list("reason_id")
        .annotate(Count("difference__brk", distinct=True))
    )
    return [
        _facet(request, "Kind", "kind", _summed(counted, 0), dict(Break.Kind.choices), chosen),
        _facet(request, "Reason", "reason", reasons, {}, chosen),
        _facet(request, "Band", "band", _summed(counted, 1), FACET_BANDS, chosen),
        _facet(request, "Reconciliation", "reconciliation", _summed(counted, 2), titles, chosen),
    ]


def _counted(found: QuerySet[Break]) -> list[Counted]:
    """How many breaks there are of each kind, band and reconciliation, in one query for the facets and the total."""
    of_each = found.order_by().values_list("kind", "band", "reconciliation__code")
    return list(of_each.annotate(Count("id")))


def _summed(counted: list[Counted], place: int) -> list[tuple[str, int]]:
    sums: Counter[str] = Counter()
    for row in counted:
        sums[str(row[place])] += row[-1]
    return list(sums.items())


def _facet(
    request: HttpRequest,
    title: str,
    name: str,
    counts: Any,
    titles: dict[str, str],
    chosen: dict[str, str],  # noqa: ANN401
) -> dict[str, Any]:
    options = [
        {
            "title": titles.get(value) or value or "Not yet",
            "count": count,
            "is_on": chosen.get(name) == value,
            "query": _query(request, **{name: "" if chosen.get(name) == value else value}),
        }
        for value, count in sorted(counts, key=lambda pair: -pair[1])
    ]
    return {"title": title, "options": options}


def _tabs(request: HttpRequest, everything: QuerySet[Break], state: str) -> list[dict[str, Any]]:
    counts = dict(everything.order_by().values_list("state").annotate(Count("id")))
    counts["all"] = sum(counts.values())
    return [
        {"title": title, "count": counts.get(code, 0), "is_on": code == state, "query": _query(request, state=code)}
        for code, title in STATES
    ]
