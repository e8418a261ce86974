"""The journey page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from review.journey import Journey, find_journey
from review.visible import visible_reconciliations


def journey_page(request: HttpRequest) -> HttpResponse:
    """Every step of a key."""
    visible = visible_reconciliations(request)
    code, key = request.GET.get("reconciliation", ""), request.GET.get("key", "").strip().replace("\0", "")
    chosen = [it for it in visible if it.code == code] or visible
    found, told = find_journey(chosen, key) if key else (None, Journey())
    context = {
        "reconciliations": visible,
        "reconciliation": found or (chosen[0] if chosen else None),
        "key": key,
        "events": told.events,
        "stored": told.stored,
    }
    return render(request, "review/journey.html", context)
