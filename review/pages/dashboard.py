"""The dashboard: does it add up, what arrived, what ran, what waits."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from reconciliation.models import Break, Run
from reconciliation.summary import run_summary
from reconciliation.tally import tallied
from review.pages.ageing import heat_map
from review.pages.arrivals import arrival_board
from review.pages.strip import strip_of
from review.visible import access, visible_reconciliations

LAST = 10


def dashboard(request: HttpRequest) -> HttpResponse:
    """The latest run's strip, what arrived and what is missing, the last runs, and how long breaks have waited."""
    seen = Run.objects.filter(reconciliation__in=[it.pk for it in visible_reconciliations(request)])
    runs = list(seen.select_related("reconciliation").order_by("-id")[:LAST])
    latest = next((run for run in runs if run.state == Run.State.DONE), None)
    summary = run_summary(latest) if latest else None
    context = {
        "runs": runs,
        "latest": latest,
        "summary": summary,
        "written": timezone.now() - timedelta(seconds=float(str(summary["age_seconds"]))) if summary else None,
        "strip": strip_of(latest) if latest else None,
        "board": arrival_board(request),
        "heat": heat_map(tallied(access(request), [Break.State.REVIEW])),
    }
    return render(request, "review/dashboard.html", context)
