"""Celery's doors to the services: ids in, nothing out, safe to deliver twice."""

import logging
from collections.abc import Callable

from celery import shared_task
from celery.signals import worker_init
from django.utils import timezone
from kombu.exceptions import OperationalError

from config import pipeline
from config.tidying import tidy
from ingestion.connectors.kinds import PULLED
from ingestion.connectors.offer import PullError
from ingestion.deliveries import plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import ClaimedWork, Normalization, Source
from ingestion.pull import pull
from ingestion.push import due_to_seal, seal_open
from ingestion.work import call_worker
from reconciliation.models import Run, RunStep
from reconciliation.runs import work_of

log = logging.getLogger(__name__)


@worker_init.connect
def _name_worker(sender: object = None, **_: object) -> None:
    call_worker(str(getattr(sender, "hostname", "") or "worker"))


def send(sender: Callable[[int], object], pk: int) -> None:
    """Send a task; a broker that is away costs time only, since the sweeper sends again."""
    try:
        sender(pk)
    except (OperationalError, OSError) as error:
        log.warning("A task could not be sent; the sweeper sends it again. %s", error)


@shared_task(queue="ingest")
def normalize(pk: int) -> None:
    """Normalize a delivery, then take every run that waits for it further."""
    work = Normalization.objects.get(pk=pk)
    try:
        pipeline.do(work)
    except IngestionError as error:
        log.warning("%s", error)
    for run in Run.objects.filter(inputs__normalization=work, state=Run.State.RUNNING).distinct():
        pipeline.ring(run)


@shared_task(queue="ingest")
def pull_sources() -> None:
    """Send a pull for every source that is pulled."""
    for pk in Source.objects.filter(kind__in=PULLED).values_list("pk", flat=True):
        send(pull_source.delay, pk)


@shared_task(queue="ingest")
def pull_source(pk: int) -> None:
    """Take what a source holds ready, then normalize it. A pull that comes twice finds the first one at work."""
    source = Source.objects.get(pk=pk)
    try:
        pulled = pull(source)
    except PullError as error:
        log.warning("%s: %s", source, error)
        return
    for name, sentence in pulled.failed.items():
        log.warning("%s: %s: %s", source, name, sentence)
    for delivery in pulled.taken.values():
        send(normalize.delay, plan_normalization(delivery).pk)


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


@shared_task(queue="ingest")
def sweep() -> None:
    """Send again what has gone silent: unfinished normalizations, and the next work of every active run."""
    quiet = Normalization.objects.filter(state=ClaimedWork.State.READY) | Normalization.objects.filter(
        state=ClaimedWork.State.RUNNING, lease_until__lt=timezone.now()
    )
    for pk in quiet.values_list("pk", flat=True):
        send(normalize.delay, pk)
    for run in Run.objects.filter(state__in=[Run.State.WAITING, Run.State.RUNNING]).order_by("id"):
        pipeline.ring(run)


@shared_task(queue="ingest")
def tidy_lake() -> None:
    """Remove what killed attempts left in the lake."""
    for name in tidy(timezone.now()):
        log.info("Nothing names %s of the lake; it was removed.", name)
