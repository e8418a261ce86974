"""What arrived: deliveries, their detected format and their quarantined rows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from ingestion.models import Delivery, Normalization, QuarantinedRow
from reconciliation.visibility import visible_sources
from review.repairs import waiting_to_replay

SHOWN = 200


def deliveries(request: HttpRequest) -> HttpResponse:
    """The newest deliveries."""
    found = (
        Normalization.objects.filter(delivery__source__in=visible_sources(request.user))
        .select_related("delivery__source")
        .order_by("-id")
    )
    return render(request, "review/deliveries.html", {"normalizations": found[:SHOWN]})


def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery."""
    found = get_object_or_404(
        Delivery.objects.filter(source__in=visible_sources(request.user)).select_related("source", "replayed_from"),
        pk=pk,
    )
    rows = QuarantinedRow.objects.filter(normalization__delivery=found).order_by("record_number")
    context = {
        "delivery": found,
        "normalizations": found.normalizations.select_related("mapping"),
        "quarantined": rows[:SHOWN],
        "quarantined_total": rows.count(),
        "replays": found.replays.order_by("pk"),
        "waiting": waiting_to_replay(found) if request.user.has_perm("ingestion.add_repair") else 0,  # type: ignore[union-attr]
    }
    return render(request, "review/delivery.html", context)
