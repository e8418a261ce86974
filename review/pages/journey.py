"""The journey page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from review.journey import Journey, find_journey
from review.visible import visible_reconciliations


def journey_page(request: HttpRequest) -> HttpResponse:
    """Every step of a key."""
    visible = visible_reconciliations(request)
    code, key = request.GET.get("reconciliation", ""), request.GET.get("key", "").strip()
    named = next((it for it in visible if it.code == code), None)
    found, told = find_journey([named] if named else visible, key) if key else (None, Journey())
    context = {
        "reconciliations": visible,
        "reconciliation": found or named,
        "key": key,
        "events": told.events,
        "stored": told.stored,
    }
    return render(request, "review/journey.html", context)
