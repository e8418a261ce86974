"""What arrived: deliveries, their detected format and their quarantined rows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from ingestion.models import Delivery, Normalization, QuarantinedRow, Source
from reconciliation.models import Reconciliation

SHOWN = 200


def _sources(request: HttpRequest) -> set[int]:
    """The sources of the reconciliations that the user may see, and those of none."""
    visible = Reconciliation.objects.visible_to(request.user)
    mine = {pk for pair in visible.values_list("a", "b") for pk in pair}
    used = {pk for pair in Reconciliation.objects.values_list("a", "b") for pk in pair}
    return mine | set(Source.objects.exclude(pk__in=used).values_list("pk", flat=True))


def deliveries(request: HttpRequest) -> HttpResponse:
    """The newest deliveries."""
    found = (
        Normalization.objects.filter(delivery__source__in=_sources(request))
        .select_related("delivery__source")
        .order_by("-id")
    )
    return render(request, "review/deliveries.html", {"normalizations": found[:SHOWN]})


def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery."""
    found = get_object_or_404(Delivery.objects.filter(source__in=_sources(request)).select_related("source"), pk=pk)
    rows = QuarantinedRow.objects.filter(normalization__delivery=found).order_by("record_number")
    context = {
        "delivery": found,
        "normalizations": found.normalizations.select_related("mapping"),
        "quarantined": rows[:SHOWN],
    }
    return render(request, "review/delivery.html", context)
