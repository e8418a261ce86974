"""The conservation strip: received = the eight states."""

from django.urls import reverse

from reconciliation.conservation import Conservation, conservation
from reconciliation.models import Run

LISTED = {"in_review": "review", "rejected": "rejected"}  # where the queue lists the rows of a state
TITLES = {"out_of_scope": "Out of scope", "in_review": "In review", "in_flight": "In flight"}


def strip_of(run: Run) -> dict[str, object]:
    """The strip's cells for a run."""
    told: Conservation = conservation(run)
    counts = f"{reverse('run', args=[run.pk])}#counts"
    lists = {state: f"{reverse('queue')}?run={run.pk}&state={listed}" for state, listed in LISTED.items()}
    lists["quarantined"] = f"{reverse('quarantine')}?state=all&date={run.business_date}"
    cells = [
        {
            "title": TITLES.get(state, state.capitalize()),
            "rows": rows,
            "share": _share(rows, told.received),
            "url": lists.get(state, counts),
        }
        for state, rows in told.states.items()
    ]
    sums = {"received": told.received, "a": told.a, "b": told.b, "unaccounted": told.unaccounted}
    return {**sums, "cells": cells, "url": counts}


def _share(rows: int, received: int) -> str:
    """A share that is never rounded to nothing."""
    if not rows:
        return "none"
    share = rows / received * 100
    return f"{share:.2f} %" if share >= 0.01 else "under 0.01 %"
