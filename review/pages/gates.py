"""Gates as a page: how much of what passes may be wrong, what the audits say of that, and opening one again."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from attribution.guard import ReopenRefused, reopen_gate, standings
from attribution.meter import next_certificates
from attribution.statistics.audit_test import TRIPS, WARNS
from ingestion.person import person_of
from review.visible import visible_reconciliations

RIGHT = "attribution.add_gatestep"


def gates(request: HttpRequest) -> HttpResponse:
    """Where each gate stands."""
    mine = visible_reconciliations(request)
    meters = next_certificates(mine)
    rows = [(found, meters.get(found.reconciliation.pk)) for found in standings(mine)]
    may = request.user.has_perm(RIGHT)
    return render(request, "review/gates.html", {"rows": rows, "may_reopen": may, "warns": WARNS, "trips": TRIPS})


@require_POST
@permission_required(RIGHT, raise_exception=True)
def reopen(request: HttpRequest, code: str) -> HttpResponse:
    """Open a gate that the audits moved."""
    found = next((it for it in visible_reconciliations(request) if it.code == code), None)
    if found is None:
        raise Http404
    try:
        step = reopen_gate(reconciliation=found, by=person_of(request), comment=request.POST.get("comment", ""))
    except ReopenRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
    else:
        messages.success(request, f"The {step} from the next run on.", extra_tags="ok")
    return redirect("gates")
