"""The journey page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reconciliation.models import Reconciliation
from review.journey import Journey, journey


def journey_page(request: HttpRequest) -> HttpResponse:
    """Every step of a key."""
    visible = list(Reconciliation.objects.visible_to(request.user).select_related("a__record_type"))
    code, key = request.GET.get("reconciliation", ""), request.GET.get("key", "").strip().replace("\0", "")
    chosen = [it for it in visible if it.code == code] or visible
    told, reconciliation = Journey(), chosen[0] if chosen else None
    for candidate in chosen if key else []:
        found = journey(candidate, key)
        if found.events:
            told, reconciliation = found, candidate
            break
    context = {
        "reconciliations": visible,
        "reconciliation": reconciliation,
        "key": key,
        "events": told.events,
        "stored": told.stored,
    }
    return render(request, "review/journey.html", context)
