"""The run's summary: written to the cache by the worker that ends the run, read by API and dashboard, SQL behind it."""

from datetime import datetime

from django.utils import timezone

from ingestion.loose_cache import find_loosely, keep_loosely
from reconciliation.models import Run

KEPT_SECONDS = 30 * 24 * 3600


def publish_summary(run: Run) -> None:
    """Write a run's summary to the cache; a cache that is away is no fault."""
    keep_loosely(_key(run), {"report": run.report, "written_at": timezone.now().isoformat()}, KEPT_SECONDS)


def run_summary(run: Run) -> dict[str, object]:
    """The report with where it was read from and its age in seconds."""
    held = find_loosely(_key(run))
    if held is not None:
        written = datetime.fromisoformat(held["written_at"])
        return {"report": held["report"], "source": "redis", "age_seconds": (timezone.now() - written).total_seconds()}
    age = (timezone.now() - run.finished_at).total_seconds() if run.finished_at else 0.0
    return {"report": run.report, "source": "sql", "age_seconds": age}


def _key(run: Run) -> str:
    return f"run:{run.pk}:summary"
