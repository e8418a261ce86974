"""The journey page, and the journey as a signed file."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from ingestion.person import person_of
from review.exporting import MAY, ExportRefused
from review.journey import Journey, find_journey
from review.journey_export import sign_journey
from review.pages.posted import holds_nul
from review.signed_journey import key_id, pem
from review.signing import NoSigningKey, public_key
from review.visible import entered_reconciliations

NEWEST = "newest"


def journey_page(request: HttpRequest) -> HttpResponse:
    """Every step of a key."""
    visible = entered_reconciliations(request)
    code, key = request.GET.get("reconciliation", ""), request.GET.get("key", "").strip()
    named = next((it for it in visible if it.code == code), None)
    found, told = find_journey([named] if named else visible, key) if key else (None, Journey())
    is_newest_first = request.GET.get("order") == NEWEST
    context = {
        "reconciliations": visible,
        "reconciliation": found or named,
        "key": key,
        "told": told,
        "events": told.events[::-1] if is_newest_first else told.events,
        "is_newest_first": is_newest_first,
        "stored": told.stored,
        "span": _span(told),
        "signs": _key_name(),
    }
    return render(request, "review/journey.html", context)


def _span(told: Journey) -> str:
    """How long it took from the first step to the last one: `2 d 3 h`, `4 min`."""
    if len(told.events) < 2:
        return ""
    seconds = int((told.events[-1].at - told.events[0].at).total_seconds())
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in units:
        if seconds >= size:
            parts.append(f"{seconds // size:,} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "under a second"


def _key_name() -> str:
    """The name of the key that signs here; empty where there is none."""
    try:
        return key_id(public_key())
    except NoSigningKey:
        return ""


@require_POST
@permission_required(MAY, raise_exception=True)
def export_journey(request: HttpRequest) -> HttpResponse:
    """The journey as a signed file; who took it is recorded."""
    code, key = request.POST.get("reconciliation", ""), request.POST.get("key", "")
    reconciliation = next((it for it in entered_reconciliations(request) if it.code == code), None)
    if reconciliation is None or holds_nul(request):
        raise Http404
    try:
        export, content = sign_journey(reconciliation=reconciliation, key=key, by=person_of(request))
    except (ExportRefused, NoSigningKey) as error:
        messages.error(request, str(error), extra_tags="bad")
        return redirect(f"{reverse('journey')}?{urlencode({'reconciliation': code, 'key': key})}")
    headers = {
        "Content-Disposition": f'attachment; filename="tieout_journey_{export.pk}.json"',
        "X-Content-SHA256": export.sha256,
    }
    return HttpResponse(content, content_type="application/json", headers=headers)


def public_key_file(request: HttpRequest) -> HttpResponse:
    """The public key that checks signed journeys, as PEM; 404 where this server cannot sign."""
    try:
        text = pem(public_key())
    except NoSigningKey as error:
        raise Http404(str(error)) from None
    headers = {"Content-Disposition": 'attachment; filename="tieout_public_key.pem"'}
    return HttpResponse(text, content_type="application/x-pem-file", headers=headers)
