"""The conservation strip: received = the eight states."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from ingestion.loose_cache import find_loosely, keep_loosely
from reconciliation.conservation import conservation
from reconciliation.models import Run

LISTED = {"in_review": "review", "rejected": "rejected"}  # where the queue lists the rows of a state
LARGE, KEPT_SECONDS = 200_000, 15  # rows of a run whose strip is kept, and for how long
TITLES = {"out_of_scope": "Out of scope", "in_review": "In review", "in_flight": "In flight"}


def strip_of(run: Run) -> dict[str, object]:
    """The strip's cells for a run, as its rows stand now; of a large run that has ended as they stood some seconds ago at most, with
    `counted_at`: its rows are counted through its breaks, which takes as long as the rest of the page ten times over."""
    told = find_loosely(_key(run)) if run.state == Run.State.DONE else None
    if told is None:
        told = _counted(run)
        if run.state == Run.State.DONE and told["received"] >= LARGE:
            keep_loosely(_key(run), told | {"counted_at": timezone.now()}, KEPT_SECONDS)
    return strip(run.pk, f"{run.business_date}", told)


def _counted(run: Run) -> dict[str, Any]:
    found = conservation(run)
    sums = {"received": found.received, "a": found.a, "b": found.b, "unaccounted": found.unaccounted}
    return {**sums, "states": found.states}


def _key(run: Run) -> str:
    return f"strip:{run.pk}"


def strip(run: int, date: str, told: dict[str, Any]) -> dict[str, object]:
    """The strip's cells for figures of a run: `received`, `a`, `b`, `unaccounted`, and `states`."""
    counts = f"{reverse('run', args=[run])}#counts"
    cells = [
        {
            "title": title_of(state),
            "rows": rows,
            "share": share_of(rows, told["received"]),
            "url": rows_url(run, date, state),
        }
        for state, rows in told["states"].items()
    ]
    return {**told, "cells": cells, "url": counts}


def rows_url(run: int, date: str, state: str) -> str:
    """Where the rows of a run's state are listed."""
    if state in LISTED:
        return f"{reverse('queue')}?run={run}&state={LISTED[state]}"
    if state == "quarantined":
        return f"{reverse('quarantine')}?state=all&date={date}"
    return f"{reverse('run', args=[run])}#counts"


def title_of(state: str) -> str:
    """A state as people read it."""
    return TITLES.get(state, state.capitalize())


def share_of(rows: int, received: int) -> str:
    """A share that is never rounded to nothing."""
    if not rows:
        return "none"
    share = rows / received * 100
    return f"{share:.2f} %" if share >= 0.01 else "under 0.01 %"
