"""The conservation strip: received = the eight states."""

from reconciliation.conservation import Conservation, conservation
from reconciliation.models import Run

TITLES = {"out_of_scope": "Out of scope", "in_review": "In review", "in_flight": "In flight"}


def strip_of(run: Run) -> dict[str, object]:
    """The strip's cells for a run."""
    told: Conservation = conservation(run)
    cells = [
        {
            "title": TITLES.get(state, state.capitalize()),
            "rows": rows,
            "share": f"{rows / told.received * 100:.2f} %" if told.received else "",
            "url": "/queue/" if state == "in_review" else "#counts",
        }
        for state, rows in told.states.items()
    ]
    return {"received": told.received, "a": told.a, "b": told.b, "cells": cells, "unaccounted": told.unaccounted}
