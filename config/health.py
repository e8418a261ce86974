"""Health and metrics: is the process alive, can it work, what waits."""

import secrets

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from reconciliation.models import BreakTally, Run, RunStep
from reconciliation.models.reconciliation import SEES_ALL


@login_not_required
def livez(_: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
def readyz(_: HttpRequest) -> HttpResponse:
    """The database answers; a lost cache is said but does no harm."""
    told = {"database": _database(), "cache": _cache()}
    return JsonResponse(told, status=200 if told["database"] == "ok" else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok"
    except Exception:  # noqa: BLE001 - whatever failed, it is not ready
        return "away"


def _cache() -> str:
    try:
        cache.get("readyz")
        return "ok"
    except Exception:  # noqa: BLE001 - every client raises its own
        return "away"


@login_not_required  # a scraper has a token, no session
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Gauges from PostgreSQL, the same from every process; for who bears the token of the settings, or sees every team."""
    if not (_bears_token(request) or request.user.has_perm(SEES_ALL)):
        raise PermissionDenied
    registry = CollectorRegistry()
    for name, words, rows in (
        ("tieout_breaks", "Breaks by state", BreakTally.objects.values_list("state").annotate(Sum("breaks"))),
        ("tieout_runs", "Runs by state", Run.objects.values_list("state").annotate(Count("id"))),
        ("tieout_steps", "Steps by state", RunStep.objects.values_list("state").annotate(Count("id"))),
    ):
        gauge = Gauge(name, words, ["state"], registry=registry)
        for state, count in rows.order_by():
            gauge.labels(state).set(count)
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4")


def _bears_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(given, settings.METRICS_TOKEN.encode())
