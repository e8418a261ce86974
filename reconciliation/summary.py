"""The run's summary: written to the cache by the worker that ends the run, read by API and dashboard, SQL behind it."""

import logging
from datetime import datetime

from django.core.cache import cache
from django.utils import timezone

from reconciliation.models import Run

log = logging.getLogger(__name__)
KEPT_SECONDS = 30 * 24 * 3600


def publish_summary(run: Run) -> None:
    """Write a run's summary to the cache; a cache that is away is no fault."""
    try:
        cache.set(_key(run), {"report": run.report, "written_at": timezone.now().isoformat()}, KEPT_SECONDS)
    except Exception as error:  # noqa: BLE001 - every client raises its own
        log.warning("The summary of %s was not cached: %s", run, error)


def run_summary(run: Run) -> dict[str, object]:
    """The report with where it was read from and its age in seconds."""
    try:
        held = cache.get(_key(run))
    except Exception as error:  # noqa: BLE001
        log.warning("The cache is away: %s", error)
        held = None
    if held is not None:
        written = datetime.fromisoformat(held["written_at"])
        return {"report": held["report"], "source": "redis", "age_seconds": (timezone.now() - written).total_seconds()}
    age = (timezone.now() - run.finished_at).total_seconds() if run.finished_at else 0.0
    return {"report": run.report, "source": "sql", "age_seconds": age}


def _key(run: Run) -> str:
    return f"run:{run.pk}:summary"
