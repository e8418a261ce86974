"""The dashboard: does it add up, what ran, what waits."""

from datetime import timedelta

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from reconciliation.models import Break, Run
from reconciliation.summary import run_summary
from review.pages.strip import strip_of

AGES = (("Under a day", 0, 1), ("1 to 3 days", 1, 3), ("3 to 7 days", 3, 7), ("Over 7 days", 7, 10_000))


def dashboard(request: HttpRequest) -> HttpResponse:
    """The latest run's strip, the last runs, and how long breaks have waited."""
    runs = list(Run.objects.visible_to(request.user).select_related("reconciliation").order_by("-id")[:10])
    latest = next((run for run in runs if run.state == Run.State.DONE), None)
    context = {
        "runs": runs,
        "latest": latest,
        "summary": run_summary(latest) if latest else None,
        "strip": strip_of(latest) if latest else None,
        "ageing": _ageing(request),
    }
    return render(request, "review/dashboard.html", context)


def _ageing(request: HttpRequest) -> list[dict[str, object]]:
    now = timezone.now()
    counts = {
        f"age_{n}": Count(
            "id", filter=Q(opened_at__lte=now - timedelta(days=low), opened_at__gt=now - timedelta(days=high))
        )
        for n, (_, low, high) in enumerate(AGES)
    }
    told = Break.objects.visible_to(request.user).filter(state=Break.State.REVIEW).aggregate(**counts)
    return [{"title": title, "count": told[f"age_{n}"]} for n, (title, _, _) in enumerate(AGES)]
