"""Cancelling a run that waits or works."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from ingestion.models import ClaimedWork
from reconciliation.models import Reconciliation, Run, RunStep


class CancelRefused(Exception):
    """A run that cannot be cancelled; the text says why."""


@transaction.atomic
def cancel_run(*, run: Run, by: str, comment: str = "") -> Run:
    """End a run without a result. What its steps have done stays, as of any run that fails, and the next run of the date takes its
    deliveries again. A worker that is at a step loses it: the fence goes up, so nothing of what it does is kept."""
    Reconciliation.objects.select_for_update(no_key=True).get(pk=run.reconciliation_id)  # a run begins under this lock
    run = Run.objects.select_for_update(no_key=True, of=["self"]).select_related("reconciliation").get(pk=run.pk)
    if run.state not in Run.ACTIVE_STATES:
        raise CancelRefused(f"Run {run.pk} has ended already, so there is nothing to cancel.")
    now, said = timezone.now(), f"Cancelled by {by}. {comment.strip()}".strip()
    steps = list(RunStep.objects.select_for_update().filter(run=run, state__in=RunStep.UNDER_WAY).order_by("pk"))
    RunStep.objects.filter(pk__in=[it.pk for it in steps]).update(
        state=ClaimedWork.State.FAILED, fence=F("fence") + 1, lease_until=None, finished_at=now, error="Cancelled."
    )
    run.state, run.error, run.finished_at, run.cancelled_by = Run.State.FAILED, said[:2000], now, by
    run.save(update_fields=["state", "error", "finished_at", "cancelled_by"])
    custody.seal([run])
    custody.seal(steps)
    after = {"date": run.business_date, "steps": len(steps), "comment": comment.strip()}
    record_event("run.cancelled", of=run, by=by, run=run.pk, reconciliation=run.reconciliation_id, after=after)
    return run
