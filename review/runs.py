"""Runs as people start and cancel them: who may, and how the workers hear of it."""

from collections.abc import Callable

from reconciliation.cancelling import cancel_run
from reconciliation.models import Run
from reconciliation.runs import next_run

STARTS = "reconciliation.add_run"
_RINGS: list[Callable[[Run], None]] = []


def on_start(ring: Callable[[Run], None]) -> None:
    """Let the wiring say how a run's work is sent to the workers."""
    _RINGS[:] = [ring]


def ring(run: Run) -> None:
    """Send a run's work to the workers."""
    for each in _RINGS:
        each(run)


def cancel(*, run: Run, by: str, comment: str = "") -> Run:
    """Cancel a run, and let the one that waits for it begin."""
    ended = cancel_run(run=run, by=by, comment=comment)
    if (following := next_run(run.reconciliation_id)) is not None:
        ring(following)
    return ended
