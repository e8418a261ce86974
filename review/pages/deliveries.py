"""What arrived: deliveries, their detected format and their quarantined rows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from ingestion.models import Delivery, MappingProposal, Normalization, QuarantinedRow
from reconciliation.visibility import visible_sources
from review.proposals import visible_proposals
from review.repairs import waiting_to_replay

SHOWN = 200


def deliveries(request: HttpRequest) -> HttpResponse:
    """The newest deliveries."""
    found = (
        Normalization.objects.filter(delivery__source__in=visible_sources(request.user))
        .select_related("delivery__source")
        .order_by("-id")
    )
    open_ = visible_proposals(request.user).filter(state=MappingProposal.State.OPEN)
    source = "normalization__delivery__source_id"
    proposals = open_.order_by(source, "-id").distinct(source)
    return render(request, "review/deliveries.html", {"normalizations": found[:SHOWN], "proposals": proposals[:SHOWN]})


def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery."""
    found = get_object_or_404(
        Delivery.objects.filter(source__in=visible_sources(request.user)).select_related(
            "source", "replayed_from", "tombstone"
        ),
        pk=pk,
    )
    readings = list(found.normalizations.select_related("mapping"))
    newest = next((it for it in readings if it.state == Normalization.State.DONE), None)
    rows = QuarantinedRow.objects.filter(normalization=newest).order_by("record_number")
    context = {
        "delivery": found,
        "normalizations": readings,
        "proposals": visible_proposals(request.user).filter(normalization__delivery=found),
        "may_map": request.user.has_perm("ingestion.add_mapping"),  # type: ignore[union-attr]
        "quarantined": rows[:SHOWN],
        "quarantined_total": rows.count(),
        "replays": found.replays.order_by("pk"),
        "waiting": waiting_to_replay(found) if request.user.has_perm("ingestion.add_repair") else 0,  # type: ignore[union-attr]
    }
    return render(request, "review/delivery.html", context)
