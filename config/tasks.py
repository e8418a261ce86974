"""Celery's doors to the services: ids in, nothing out, safe to deliver twice."""

import datetime as dt
import logging
from collections.abc import Callable

from celery import shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from attribution.drift import settle_drift, unsettled
from attribution.guard import judge_gate
from attribution.model_alerts import check_champions
from attribution.models import Draw, Training
from attribution.trainer import ON_SCHEDULE, ask_after_corrections, ask_training, train_asked
from attribution.training import TrainingRefused
from config import pipeline
from config.tidying import tidy
from ingestion.alerts import clear_arrived, raise_event
from ingestion.audit_chain import check_chain, drop_anchor
from ingestion.clock import database_now
from ingestion.connectors.kinds import PULLED
from ingestion.connectors.offer import PullError
from ingestion.deliveries import plan_normalization
from ingestion.errors import IngestionError
from ingestion.expectations import plan_expectations, raise_alerts
from ingestion.giving_way import give_way
from ingestion.models import Normalization, Source, Tick
from ingestion.notices import send_notice, to_send
from ingestion.origin import through_door
from ingestion.pull import PullBusy, Pulled, pull
from ingestion.push import due_to_seal, seal_open
from ingestion.retention import forget
from ingestion.schedules import PULL, RUN, TRAIN, scheduled_codes
from ingestion.ticks import due_time, forget_old, forgotten, meet, meet_every, put_off, settle, undone
from ingestion.work import LostClaim, call_worker, silent
from reconciliation.arrivals import start_arrived, start_scheduled, watching
from reconciliation.holds import return_due
from reconciliation.models import Reconciliation, Run, RunStep
from reconciliation.runs import work_of
from reconciliation.tally import settle_tally
from review.bulk.working import work_on
from review.exporting import carry_out, forget_expired
from review.figures import refresh_due
from review.incidents.finding import unscanned
from review.incidents.standing import settle_incidents
from review.models import BulkDecision, Export
from review.telling import write_digests, write_mails

log = logging.getLogger(__name__)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
BULK_SECONDS = 20.0  # what one message does of a bulk decision; deliveries share its worker
SECOND_LOOK = 2  # seconds until a file that was there at a due time is looked at again


@worker_init.connect
def _begin(sender: object = None, **_: object) -> None:
    """A worker has a name, and gives way: a run may take longer, a person or a program waits for an answer now."""
    through_door("task")
    call_worker(str(getattr(sender, "hostname", "") or "worker"))
    give_way(settings.WORKER_NICENESS)


def send(sender: Callable[..., object], about: int | str) -> None:
    """Send a task; a broker that is away costs time only, since the sweeper sends again."""
    try:
        sender(about)
    except (OperationalError, OSError) as error:
        log.warning("A task could not be sent; the sweeper sends it again. %s", error)


@shared_task(queue="ingest")
def normalize(pk: int) -> None:
    """Normalize a delivery, then take every run that waits for it further, and start those that its arrival allows."""
    work = Normalization.objects.select_related("delivery__source").get(pk=pk)
    try:
        pipeline.do(work)
    except IngestionError as error:
        log.warning("%s", error)
    for run in Run.objects.filter(inputs__normalization=work, state=Run.State.RUNNING).distinct():
        pipeline.ring(run)
    _ring_all(start_arrived(watching(work.delivery.source), database_now()))


def _ring_all(runs: list[Run]) -> None:
    for run in runs:
        pipeline.ring(run)


@shared_task(queue="ingest")
def pull_sources() -> None:
    """Once a minute, send a pull for every source that is pulled and has no schedule of its own."""
    if meet_every("config.tasks.pull_sources", MINUTE, database_now()) is None:
        return
    minutely = Source.objects.filter(kind__in=PULLED).exclude(code__in=scheduled_codes(PULL))
    for pk in minutely.values_list("pk", flat=True):
        send(pull_source.delay, pk)


@shared_task(queue="ingest")
def pull_source(pk: int) -> None:
    """Take what a source holds ready, then normalize it. A pull that comes twice finds the first one at work."""
    source = Source.objects.get(pk=pk)
    try:
        _pull(source)
    except PullError as error:
        log.warning("%s: %s", source, error)


def _pull(source: Source) -> Pulled:
    pulled = pull(source)
    for name, sentence in pulled.failed.items():
        log.warning("%s: %s: %s", source, name, sentence)
    for delivery in pulled.taken.values():
        send(normalize.delay, plan_normalization(delivery).pk)
    return pulled


@shared_task(queue="ingest")
def pull_on_schedule(code: str) -> None:
    """Pull a source at a due time of its own schedule; a second message of that time does nothing."""
    now = database_now()
    if (tick := meet(PULL, code, due_time(PULL, code, now), now)) is not None:
        _pull_for(tick)


@shared_task(queue="ingest")
def pull_again(pk: int) -> None:
    """Go on with a due time: a second look at what was there, or another attempt."""
    tick = Tick.objects.get(pk=pk)
    if tick.done_at is None:
        _pull_for(tick)


def _pull_for(tick: Tick) -> None:
    source = Source.objects.get(code=tick.code)
    try:
        pulled = _pull(source)
    except PullBusy:
        return put_off(tick, database_now())
    except PullError as error:
        log.warning("%s: %s", source, error)
        return put_off(tick, database_now(), str(error))
    if not pulled.waiting:
        return settle(tick, database_now())
    put_off(tick, database_now())
    return send(lambda pk: pull_again.apply_async((pk,), countdown=SECOND_LOOK), tick.pk)


@shared_task(queue="diff")
def run_on_schedule(code: str) -> None:
    """Run what a reconciliation has not run yet, at a due time of its schedule; a second message of it does nothing."""
    now = database_now()
    with transaction.atomic():
        tick = meet(RUN, code, due_time(RUN, code, now), now)
        if tick is None:
            return
        runs = start_scheduled(Reconciliation.objects.select_related("a", "b").get(code=code), now)
        settle(tick, now)
    _ring_all(runs)


@shared_task(queue="ingest")
def watch_schedules() -> None:
    """Meet due times whose message was lost, go on with those that are not done, start runs whose sides have arrived."""
    now = database_now()
    for task, code in forgotten(now):
        send({PULL: pull_on_schedule.delay, RUN: run_on_schedule.delay, TRAIN: train_on_schedule.delay}[task], code)
    for tick in undone(now):
        send(pull_again.delay, tick.pk)
    _ring_all(start_arrived(watching(), now))


@shared_task(queue="alerts")
def watch_deadlines() -> None:
    """Write down what sources owe, raise an alert for what is late, write mails and digests, send notices whose
    time has come.

    Not in the queue of deliveries: a file that takes long to read must not hide that another one is missing.
    """
    now = database_now()
    plan_expectations(now)
    clear_arrived(now)
    for alert in raise_alerts(now):
        log.warning("%s.", alert)
    write_mails(now)
    if meet_every("config.tasks.write_digests", HOUR, now) is not None:
        write_digests(now)
    for pk in to_send(now):
        send(notify.delay, pk)


@shared_task(queue="alerts")
def notify(pk: int) -> None:
    """Send a notice. In a queue of its own: a receiver that stalls holds up no delivery."""
    send_notice(pk, database_now())


@shared_task(queue="alerts")
def watch_gates() -> None:
    """Judge each gate by its audits anew; each answer does so, too. A second message finds nothing to do."""
    for reconciliation in Reconciliation.objects.filter(runs__draws__purpose=Draw.Purpose.AUDIT).distinct():
        if (step := judge_gate(reconciliation, database_now())) is not None:
            log.warning("%s. %s", step, step.because)


@shared_task(queue="alerts")
def return_held() -> None:
    """Let breaks on hold return whose date has come; who lists breaks does so, too. What comes twice finds none."""
    if back := return_due(timezone.now()):
        log.info("%s breaks returned from hold.", back)


@shared_task(queue="ingest")
def seal_pushes() -> None:
    """Make deliveries of the pushes whose count or time is reached."""
    for opened in due_to_seal(timezone.now()):
        try:
            send(normalize.delay, plan_normalization(seal_open(opened)).pk)
        except IngestionError as error:
            log.warning("%s: %s", opened, error)


@shared_task(queue="diff")
def diff(pk: int) -> None:
    """Compare a range, then ring for what follows."""
    _step(pk)


@shared_task(queue="attribution")
def attribute(pk: int) -> None:
    """Explain a range, then ring for what follows."""
    _step(pk)


def _step(pk: int) -> None:
    step = RunStep.objects.select_related("run").get(pk=pk)
    if step in work_of(step.run):  # a message may come before its turn, too
        pipeline.do(step)
    pipeline.ring(step.run)


@shared_task(queue="training")
def train(pk: int) -> None:
    """Carry out a training; a second message finds it done, or another trainer at work."""
    training = Training.objects.select_related("reconciliation").get(pk=pk)
    try:
        model = train_asked(training)
    except LostClaim as lost:
        log.warning("%s", lost)
    else:
        log.info("%s: %s.", training, model or "nothing was trained")


@shared_task(queue="ingest")
def train_on_schedule(code: str) -> None:
    """Ask for a training at a due time of a reconciliation's schedule; a second message of it does nothing."""
    now = database_now()
    with transaction.atomic():
        tick = meet(TRAIN, code, due_time(TRAIN, code, now), now)
        if tick is None:
            return
        settle(tick, now)
        try:
            asked = ask_training(
                reconciliation=Reconciliation.objects.get(code=code), because=ON_SCHEDULE, by="schedule"
            )
        except TrainingRefused as refused:  # the next due time asks again
            return log.info("%s", refused)
    return send(train.delay, asked.pk)


@shared_task(queue="ingest")
def watch_training() -> None:
    """Look whether the champions can speak, and ask for trainings where enough corrections are new. Not in the queue of trainings,
    which may be busy with one."""
    for alert in check_champions(database_now()):
        log.error("%s.", alert)
    for run in unsettled():  # told of when the run ended, if nothing was killed just then
        settle_drift(run)
    for asked in ask_after_corrections():
        log.info("%s: %s.", asked, asked.because)
        send(train.delay, asked.pk)


@shared_task(queue="decisions")
def decide_bulk(pk: int) -> None:
    """Carry out a bulk decision, for a while, then let others of the queue have their turn. A second message finds another
    worker at it."""
    try:
        more = work_on(BulkDecision.objects.get(pk=pk), BULK_SECONDS)
    except LostClaim as lost:
        return log.warning("%s", lost)
    return send(decide_bulk.delay, pk) if more else None


@shared_task(queue="exports")
def make_export(pk: int) -> None:
    """Make the file of an export; a second message finds it made, or another worker at it."""
    try:
        carry_out(Export.objects.get(pk=pk))
    except LostClaim as lost:
        log.warning("%s", lost)


@shared_task(queue="ingest")
def forget_exports() -> None:
    """Remove the files of exports whose time is over. What comes twice finds nothing due."""
    if gone := forget_expired(timezone.now()):
        log.info("%s expired exports were removed.", gone)


@shared_task(queue="ingest")
def sweep() -> None:
    """Send again what has gone silent: unfinished normalizations, the next work of every active run, trainings without a
    trainer, exports and bulk decisions without a worker. Look for incidents where that was missed, see how they stand, and add
    the tally of breaks up."""
    now = timezone.now()
    tasks = {Normalization: normalize, Training: train, Export: make_export, BulkDecision: decide_bulk}
    for kind, task in tasks.items():
        for pk in silent(kind, now):  # type: ignore[type-abstract]
            send(task.delay, pk)
    for run in Run.objects.filter(state__in=Run.ACTIVE_STATES).order_by("id"):
        pipeline.ring(run)
    for run in unscanned():
        pipeline.look_for_incidents(run)
    settle_incidents()
    settle_tally()


@shared_task(queue="ingest")
def watch_audit() -> None:
    """Look at the whole audit log once an hour and write its newest event outside of the database; a broken one alerts."""
    check = check_chain()
    if not check.problem:
        drop_anchor(check)
        return
    log.error("Audit log: %s", check.problem)
    raise_event(
        event="audit.broken", mark=check.problem[:120], sentence=check.problem, link="/audit/", now=database_now()
    )


@shared_task(queue="ingest")
def refresh_dashboards() -> None:
    """Compute the dashboards' figures anew that are due; what comes twice finds none."""
    refresh_due(timezone.now())


@shared_task(queue="ingest")
def forget_raw_bytes() -> None:
    """Delete the raw bytes that sources keep no longer. What comes twice finds nothing due."""
    done = forget(now=timezone.now(), by="retention")
    for sentence in done.kept:
        log.error("Kept: %s", sentence)
    if done.deliveries:
        log.info("%s deliveries, %s bytes deleted.", done.deliveries, done.size)


@shared_task(queue="ingest")
def tidy_lake() -> None:
    """Remove what killed attempts left in the lake."""
    for name in tidy(timezone.now()):
        log.info("Nothing names %s of the lake; it was removed.", name)
    forget_old(timezone.now())
