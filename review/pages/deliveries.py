"""What arrived: deliveries, their detected format and their quarantined rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from ingestion.deliveries import mapping_of
from ingestion.models import Delivery, Mapping, MappingProposal, Normalization, QuarantinedRow, Source
from reconciliation.models import Reconciliation, Run
from reconciliation.redelivery import LISTED, compare_with_former, former_of
from reconciliation.visibility import visible_deliveries, visible_sources
from review.ids import is_number
from review.pages.paged import page_of
from review.pages.sources import listed_sources, narrowed
from review.proposals import visible_proposals
from review.repair_rules import REPAIRS
from review.repairs import waiting_to_replay
from review.runs import STARTS
from review.visible import visible_reconciliations

SHOWN = 200
PAGE = 50
CHANGES = 50
SMALL = 100_000  # records of a delivery whose changes are shown unasked


def deliveries(request: HttpRequest) -> HttpResponse:
    """The sources, and the newest deliveries of all or of one."""
    sources = listed_sources(request)
    source, state = (request.GET.get(name, "").replace("\0", "") for name in ("source", "state"))
    found = Normalization.objects.filter(delivery__source__in=visible_sources(request.user))
    found = narrowed(found, source, state).select_related("delivery__source").order_by("-id")
    page, following = page_of(request, found, PAGE)
    open_ = visible_proposals(request.user).filter(state=MappingProposal.State.OPEN)
    of_source = "normalization__delivery__source_id"
    context = {
        "sources": sources,
        "source": source,
        "state": state,
        "states": Normalization.State.choices,
        "normalizations": page,
        "next": following,
        "proposals": open_.order_by(of_source, "-id").distinct(of_source)[:SHOWN],
    }
    return render(request, "review/deliveries.html", context)


def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery."""
    taken = Run.objects.visible_to(request.user).filter(inputs__normalization__delivery=OuterRef("pk"))
    seen = visible_deliveries(request.user).annotate(runs=ArraySubquery(taken.order_by("pk").distinct().values("pk")))
    found = get_object_or_404(seen.select_related("source", "replayed_from", "tombstone"), pk=pk)
    readings = list(found.normalizations.select_related("mapping"))
    newest = next((it for it in readings if it.state == Normalization.State.DONE), None)
    rows = QuarantinedRow.objects.filter(normalization=newest).order_by("record_number")
    shown = list(rows[:SHOWN])
    context = {
        "delivery": found,
        "normalizations": readings,
        "proposals": visible_proposals(request.user).filter(normalization__delivery=found),
        "reads_by": _reads_by(request, found, readings),
        "may_map": request.user.has_perm("ingestion.add_mapping"),
        "quarantined": shown,
        "quarantined_total": rows.count() if len(shown) == SHOWN else len(shown),
        "former": former_of(found),
        "is_small": newest is not None and (newest.normalized or 0) <= SMALL,
        "replays": found.replays.order_by("pk"),
        "is_being_read": any(it.state in Normalization.UNDER_WAY for it in readings),
        "next_runs": _next_runs(request, found) if newest else [],
        "waiting": waiting_to_replay(found) if request.user.has_perm(REPAIRS) else 0,
    }
    return render(request, "review/delivery.html", context)


@dataclass(frozen=True)
class NextRun:
    """A reconciliation whose run would take a delivery; `other`: the source of the other side, `has_both`: it has delivered, too."""

    reconciliation: Reconciliation
    other: Source
    has_both: bool


def _next_runs(request: HttpRequest, delivery: Delivery) -> list[NextRun]:
    """What to run with a delivery that no run has taken, for who may."""
    if delivery.runs or not request.user.has_perm(STARTS):  # type: ignore[attr-defined]
        return []
    others = {
        it: it.b_id if it.a_id == delivery.source_id else it.a_id
        for it in visible_reconciliations(request)
        if delivery.source_id in (it.a_id, it.b_id)
    }
    came = Delivery.objects.filter(source=OuterRef("pk"), business_date=delivery.business_date)
    sources = Source.objects.annotate(came=Exists(came)).in_bulk(others.values())
    return [NextRun(it, sources[pk], sources[pk].came) for it, pk in others.items()]


def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """What a delivery adds, changes and leaves out against the one that it supersedes: a part of its page, or a page."""
    found = get_object_or_404(visible_deliveries(request.user), pk=pk)
    kind = request.GET.get("kind", "")
    first = request.GET.get("first", "")
    start = int(first) if is_number(first, 12) else 0
    kinds = (kind,) if kind in LISTED else LISTED
    told = compare_with_former(found, kinds=kinds, first=start, most=CHANGES + 1)
    context = {
        "delivery": found,
        "told": told,
        "records": told.records[:CHANGES] if told else [],
        "next": start + CHANGES if told and len(told.records) > CHANGES else None,
        "kind": kind if kind in LISTED else "",
    }
    response = render(request, "review/changes.html" + ("#changes" if request.htmx else ""), context)  # type: ignore[attr-defined]
    response.headers["Vary"] = "HX-Request"
    return response


def _reads_by(request: HttpRequest, delivery: Delivery, readings: Sequence[Normalization]) -> Mapping | None:
    """The mapping by which the user may have the delivery read again: a newer one, or the last again where that failed."""
    if not readings or not request.user.has_perm("ingestion.add_delivery"):
        return None
    last = max(readings, key=lambda it: it.mapping.version)
    oldest = last.mapping.version + (last.state != Normalization.State.FAILED)
    if delivery.source.current_mapping().version < oldest:
        return None
    mapping = mapping_of(delivery)
    return mapping if mapping.version >= oldest else None
