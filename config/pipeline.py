"""The whole path on one screen.

    deliver      a source's bytes into the lake                              (service accept_delivery)
    normalize    bytes -> records, flagged values, quarantined rows          queue ingest
    diff         compare a range, store what matched, open breaks            queue diff
    attribute    explain, let through the gate, hold the rest for a person   queue attribution
    close        the report, the summary, incidents                          when the last step ends

Work is found in PostgreSQL, never in a message: a task carries an id, and may be lost or come twice.
"""

import logging
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction

from attribution.attribute import attribute_range
from attribution.drift import settle_drift
from config.side_by_side import side_by_side
from ingestion.deliveries import normalize_delivery
from ingestion.models import ClaimedWork, Normalization
from ingestion.work import LostClaim
from reconciliation.diff import diff_range
from reconciliation.models import Run, RunStep
from reconciliation.runs import advance_run, next_run, work_of
from reconciliation.summary import publish_summary
from review.decisions import void_stale
from review.figures import refresh_figures
from review.incidents.finding import find_incidents

log = logging.getLogger(__name__)
POLL_SECONDS = 0.2


def do(work: ClaimedWork) -> None:
    """Claim and run one piece of work, whatever its stage; what another worker took over meanwhile is its own."""
    try:
        if isinstance(work, Normalization):
            normalize_delivery(work)
        elif isinstance(work, RunStep):
            {RunStep.Step.DIFF: diff_range, RunStep.Step.ATTRIBUTE: attribute_range}[RunStep.Step(work.step)](work)
    except LostClaim as lost:
        log.warning("%s", lost)


def advance(run: Run) -> list[ClaimedWork]:
    """Take a run as far as its rows allow; gives what can be claimed now. An ended run's summary is published."""
    was_active = run.state in Run.ACTIVE_STATES
    advance_run(run)
    if was_active and run.state in (Run.State.DONE, Run.State.FAILED):
        publish_summary(run)
        look_for_incidents(run)
        end_stale_proposals(run)
        settle_drift(run)
        gather_figures(run)
        if (following := next_run(run.reconciliation_id)) is not None:
            ring(following)
    return work_of(run)


def look_for_incidents(run: Run) -> None:
    """Count an ended run's breaks against those before. What goes wrong costs a page, not the run; the sweeper tries again."""
    if run.state != Run.State.DONE:
        return
    try:
        for incident in find_incidents(run):
            log.warning("%s: %s breaks of %s, %s.", incident, incident.breaks, incident.field, incident.reason)
    except Exception:
        log.exception("The incidents of %s were not looked for.", run)


def end_stale_proposals(run: Run) -> None:
    """Void proposals whose values the run changed. What goes wrong costs nothing: who confirms a stale one is told then."""
    try:
        if ended := void_stale(run.reconciliation):
            log.info("%s: %s proposals are void, their values changed.", run, ended)
    except Exception:
        log.exception("Stale proposals were not looked for after %s.", run)


def gather_figures(run: Run) -> None:
    """Compute the dashboard's figures of an ended run. What goes wrong costs a page its newest figures; beat tries again."""
    try:
        refresh_figures(run.reconciliation)
    except Exception:
        log.exception("The figures of %s were not computed.", run)


def run_to_end(run: Run) -> Run:
    """Work on a run in this process until it has ended, beside whatever workers there are; earlier runs first."""
    active = Run.objects.filter(reconciliation=run.reconciliation, state__in=Run.ACTIVE_STATES)
    for earlier in active.filter(pk__lt=run.pk).order_by("id"):
        run_to_end(earlier)
    while (work := advance(run)) or run.state in Run.ACTIVE_STATES:
        before = [(it.pk, it.state, it.fence) for it in work]
        explaining = [it for it in work if isinstance(it, RunStep) and it.step == RunStep.Step.ATTRIBUTE]
        # Explaining leaves memory and a core free for another range; comparing does not.
        side_by_side([partial(do, it) for it in explaining], at_once=settings.ENGINE_THREADS)
        for it in work:
            if it not in explaining:
                do(it)
        if before == [(it.pk, it.state, it.fence) for it in work_of(run)]:
            time.sleep(POLL_SECONDS)  # a worker elsewhere has it, or an earlier run is active
    return run


def ring(run: Run) -> None:
    """Send a task for everything of a run that can be claimed, after the commit."""
    from config import tasks

    senders: dict[str, Callable[[int], object]] = {
        "ingest": tasks.normalize.delay,
        "diff": tasks.diff.delay,
        "attribution": tasks.attribute.delay,
    }
    for work in advance(run):
        transaction.on_commit(lambda work=work: tasks.send(senders[work.queue], work.pk))  # type: ignore[misc]
