"""Incidents in the browser: breaks that surged together, as one item each, with one decision for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from attribution.models import Reason
from ingestion.person import person_of
from reconciliation.models import Break, Difference
from review.bulk.selecting import BadSelection, choose_incident
from review.incidents.standing import Figures, figures_of, signature_text, visible_incidents
from review.incidents.surges import LEAST, RUNS, TIMES
from review.models import BulkDecision, Incident
from review.pages.paged import page_of
from review.rights import DECIDES
from review.visible import waiting_breaks

PAGE, EXAMPLES = 20, 10


@dataclass(frozen=True)
class Row:
    """An incident as the list shows it; `share` is of all breaks that wait for people."""

    incident: Incident
    text: str
    functional: bool | None
    figures: Figures
    share: float


def rows_of(request: HttpRequest, incidents: Sequence[Incident]) -> list[Row]:
    """Incidents with their figures of now."""
    if not incidents:
        return []
    figures, all_waiting = figures_of(incidents), max(waiting_breaks(request), 1)
    functional = dict(Reason.objects.values_list("code", "functional"))
    return [
        Row(it, signature_text(it), functional.get(it.reason), figures[it.pk], figures[it.pk].waiting / all_waiting)
        for it in incidents
    ]


def incidents(request: HttpRequest) -> HttpResponse:
    """Incidents of a state, the open ones first seen."""
    found = visible_incidents(person_of(request))
    state = request.GET.get("state", Incident.State.OPEN)
    counts = dict(found.order_by().values_list("state").annotate(Count("pk")))
    listed = found.filter(state=state) if state in Incident.State.values else found
    page, following = page_of(request, listed, PAGE)
    tabs = [*Incident.State.choices, ("all", "All")]
    context = {
        "rows": rows_of(request, page),
        "tabs": [{"code": code, "title": title, "is_on": code == state,
                  "count": counts.get(code, 0) if code != "all" else sum(counts.values())} for code, title in tabs],
        "state": state,
        "next": following,
        **_rule(),
    }  # fmt: skip
    return render(request, "review/incidents.html", context)


def _rule() -> dict[str, Any]:
    return {"least": LEAST, "times": int(TIMES), "most_runs": RUNS}


def incident_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One incident: what it is, how it stands, examples, and what was decided of it."""
    incident = get_object_or_404(visible_incidents(person_of(request)), pk=pk)
    found = Difference.objects.filter(brk=OuterRef("pk"), field=incident.field, current=True)
    members = Break.objects.filter(in_incidents__incident=incident)
    members = members.annotate(
        value_a=Subquery(found.values("value_a")[:1]), value_b=Subquery(found.values("value_b")[:1])
    )
    context = {
        "row": rows_of(request, [incident])[0],
        "examples": members.order_by("-state", "pk").select_related("last_run")[:EXAMPLES],
        "kind": next(
            (it.kind for it in incident.reconciliation.record_type.shape().leaves if it.name == incident.field), ""
        ),
        "all": f"state:all incident:{incident.pk}",
        "bulks": BulkDecision.objects.filter(incident=incident.pk).select_related("asked_by"),
        "may_decide": request.user.has_perm(DECIDES),
        **_rule(),
    }
    return render(request, "review/incident.html", context)


@require_POST
@permission_required(DECIDES, raise_exception=True)
def decide_incident(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze what waits of it, for one decision for all."""
    incident = get_object_or_404(visible_incidents(person_of(request)), pk=pk)
    try:
        preview = choose_incident(incident=incident, by=person_of(request))
    except BadSelection as error:
        messages.error(request, str(error), extra_tags="bad")
        return redirect("incident", incident.pk)
    return redirect("bulk_preview", preview.pk)
