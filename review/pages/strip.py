"""The conservation strip: received = the eight states."""

from typing import Any

from django.urls import reverse

from reconciliation.conservation import conservation
from reconciliation.models import Run

LISTED = {"in_review": "review", "rejected": "rejected"}  # where the queue lists the rows of a state
TITLES = {"out_of_scope": "Out of scope", "in_review": "In review", "in_flight": "In flight"}


def strip_of(run: Run) -> dict[str, object]:
    """The strip's cells for a run, as its rows stand now."""
    told = conservation(run)
    sums = {"received": told.received, "a": told.a, "b": told.b, "unaccounted": told.unaccounted}
    return strip(run.pk, f"{run.business_date}", {**sums, "states": told.states})


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
