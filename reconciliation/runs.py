"""The life of a run: asked for, given its inputs, cut into ranges, ended with a report."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from ingestion import custody
from ingestion.alerts import clear_events, raise_event
from ingestion.audit_log import record_event
from ingestion.buckets import BUCKETS
from ingestion.deliveries import plan_normalization
from ingestion.models import ClaimedWork, Delivery, Normalization, Source
from reconciliation.bulk import analyze
from reconciliation.models import Reconciliation, RuleSet, Run, RunInput, RunStep
from reconciliation.report import compile_report, keys_in_breaks
from reconciliation.rule_sets import freeze_rules

State = Run.State
Done = ClaimedWork.State.DONE
Failed = ClaimedWork.State.FAILED


@dataclass(frozen=True)
class Pinned:
    """The model that a run is bound to, by its code, and the certificate of its gate, by its id."""

    model_version: str = ""
    certificate: int | None = None


_PINS: list[Callable[[Reconciliation, RuleSet], Pinned]] = []


def pin_model(pin: Callable[[Reconciliation, RuleSet], Pinned]) -> None:
    """Let a higher app say what a run that starts now is bound to."""
    _PINS.append(pin)


@transaction.atomic
def start_run(*, reconciliation: Reconciliation, business_date: dt.date, by: str = "", join: bool = False) -> Run:
    """Ask for a run of a business date. It waits while another run of the reconciliation is active. With `join` the run that waits
    for the date already, bound to the same, is given in place of another: it takes what is there when it begins."""
    rule_set = freeze_rules(reconciliation)  # which holds the reconciliation, and no run begins meanwhile
    bound = next((pin(reconciliation, rule_set) for pin in _PINS), Pinned())
    wanted = {
        "reconciliation": reconciliation,
        "rule_set": rule_set,
        "model_version": bound.model_version,
        "certificate": bound.certificate,
        "business_date": business_date,
    }
    if join and (waiting := Run.objects.filter(state=State.WAITING, **wanted).first()) is not None:
        return waiting
    run = Run.objects.create(**wanted, started_by=by)
    custody.seal([run])
    after = {"date": business_date, "rules": rule_set.version, "model": run.model_version or None}
    record_event("run.started", of=run, by=by, run=run.pk, reconciliation=reconciliation.pk, after=after)
    return run


def advance_run(run: Run) -> Run:
    """Take a run as far as its rows allow: give it inputs, cut it into ranges, end it. Calling it again does no harm."""
    run.refresh_from_db()
    if run.state == State.WAITING:
        _activate(run)
    if run.state == State.RUNNING and not run.steps.exists():
        _cut(run)
    if run.state == State.RUNNING:
        _end(run)
    return run


@transaction.atomic
def _activate(run: Run) -> None:
    """Make the run the active one and give it its inputs, if no other run is active."""
    Reconciliation.objects.select_for_update().get(pk=run.reconciliation_id)
    earlier = Run.objects.filter(reconciliation=run.reconciliation, state__in=Run.ACTIVE_STATES, pk__lt=run.pk)
    if earlier.exists() or not Run.objects.filter(pk=run.pk, state=State.WAITING).exists():
        return
    run.state, run.started_at = State.RUNNING, timezone.now()
    run.save(update_fields=["state", "started_at"])
    inputs = [
        RunInput(run=run, side=side, normalization=plan_normalization(delivery))
        for side, source in (("a", run.reconciliation.a), ("b", run.reconciliation.b))
        for delivery in _deliveries(run, side, source)
    ]
    custody.seal(RunInput.objects.bulk_create(inputs))
    custody.seal([run])


def _deliveries(run: Run, side: str, source: Source) -> Sequence[Delivery]:
    """A date's deliveries that no run has taken; when every one is taken, those of the date's last run again."""
    readable = [d for d in source.deliveries.filter(business_date=run.business_date).order_by("id") if _readable(d)]
    given = RunInput.objects.filter(run__reconciliation=run.reconciliation, side=side).exclude(run__state=State.FAILED)
    taken = set(given.values_list("normalization__delivery_id", flat=True))
    fresh = [delivery for delivery in readable if delivery.pk not in taken]
    if fresh or _other_side_is_fresh(run, side):
        return fresh
    return readable


def _other_side_is_fresh(run: Run, side: str) -> bool:
    other, source = ("b", run.reconciliation.b) if side == "a" else ("a", run.reconciliation.a)
    given = RunInput.objects.filter(run__reconciliation=run.reconciliation, side=other).exclude(run__state=State.FAILED)
    taken = given.values_list("normalization__delivery_id", flat=True)
    fresh = source.deliveries.filter(business_date=run.business_date).exclude(pk__in=list(taken))
    return any(_readable(delivery) for delivery in fresh)


def _readable(delivery: Delivery) -> bool:
    return plan_normalization(delivery).state != Failed


def inputs_of(run: Run) -> QuerySet[Normalization]:
    """The run's normalizations."""
    return Normalization.objects.filter(run_inputs__run=run).distinct()


QUARTERS = 4
FAILED = "run.failed"


@transaction.atomic
def _cut(run: Run) -> None:
    """Cut the buckets into ranges of at most RANGE_PAIRS rows a side, once every input is normalized; a large range is
    explained in quarters."""
    if Run.objects.select_for_update().get(pk=run.pk).state != State.RUNNING:  # cancelled meanwhile
        return None
    inputs = list(inputs_of(run))
    if run.steps.exists() or any(it.state not in (Done, Failed) for it in inputs):
        return None
    if broken := [it for it in inputs if it.state == Failed]:
        return _fail(run, f"{broken[0].delivery} could not be read: {broken[0].error}")
    largest = max((it.normalized or 0 for it in inputs), default=0)
    parts = min(BUCKETS, max(1, -(-largest // settings.RANGE_PAIRS)))
    quarters = QUARTERS if largest > settings.RANGE_PAIRS // 2 and parts * QUARTERS <= BUCKETS else 1
    steps = [
        RunStep(run=run, step=step, queue=queue, first_bucket=low, last_bucket=high - 1)
        for step, queue, ranges in (
            (RunStep.Step.DIFF, "diff", parts),
            (RunStep.Step.ATTRIBUTE, "attribution", parts * quarters),  # one explains while one waits for the database
        )
        for low, high in pairwise(BUCKETS * part // ranges for part in range(ranges + 1))
    ]
    custody.seal(RunStep.objects.bulk_create(steps))
    return None


@transaction.atomic
def _end(run: Run) -> None:
    """End the run with its report once every step is done; a step that failed for good fails the run."""
    Run.objects.select_for_update().get(pk=run.pk)
    run.refresh_from_db()
    steps = list(run.steps.all())
    if run.state != State.RUNNING or not steps:
        return None
    if broken := [step for step in steps if step.state == Failed]:
        return _fail(run, f"{broken[0]} failed: {broken[0].error}")
    if any(step.state != Done for step in steps):
        return None
    run.state = State.DONE
    run.finished_at = run.steps.aggregate(last=Max("finished_at"))["last"]
    run.report = report = compile_report(run)
    run.save(update_fields=["state", "finished_at", "report"])
    custody.seal([run])
    clear_events(event=FAILED, marks=[run.reconciliation.code], now=timezone.now())
    analyze(keys_in_breaks(report), "reconciliation_break")  # each has another state than when it was written


def _fail(run: Run, error: str) -> None:
    run.state, run.error, run.finished_at = State.FAILED, error[:2000], timezone.now()
    run.save(update_fields=["state", "error", "finished_at"])
    custody.seal([run])
    raise_event(
        event=FAILED, mark=run.reconciliation.code, sources=[run.reconciliation.a, run.reconciliation.b],
        sentence=f"Run {run.pk} of {run.reconciliation} for {run.business_date} failed.", link=f"/runs/{run.pk}/",
        reconciliation=run.reconciliation_id, occurrence=f"run {run.pk}", now=timezone.now(),
    )  # fmt: skip


def next_run(reconciliation: int) -> Run | None:
    """The run of a reconciliation, by its id, that has waited longest."""
    return Run.objects.filter(reconciliation=reconciliation, state=State.WAITING).order_by("id").first()


def work_of(run: Run) -> list[ClaimedWork]:
    """What can be claimed now: inputs to normalize, then diff ranges, then the attribute step of each range whose diff is done."""
    if run.state != State.RUNNING:
        return []
    inputs = [it for it in inputs_of(run) if it.state not in (Done, Failed)]
    if inputs:
        return list(inputs)
    steps = list(run.steps.all())
    compared = [step for step in steps if step.step == RunStep.Step.DIFF and step.state == Done]
    return [
        step
        for step in steps
        if step.state not in (Done, Failed)
        and (step.step == RunStep.Step.DIFF or any(step.lies_in(done) for done in compared))
    ]
