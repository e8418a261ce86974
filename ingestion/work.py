"""Claiming work: one conditional UPDATE takes a step, a heartbeat keeps it, the fence guards its end."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F, Q
from django.utils import timezone

from ingestion import custody
from ingestion.models import ClaimedWork

State = ClaimedWork.State
Work = TypeVar("Work", bound=ClaimedWork)
_NAME: list[str] = []


class LostClaim(Exception):
    """Another worker took this step over, because this one went silent; what this one did is rolled back."""


def worker_name() -> str:
    """Who works here: the worker's name, or the command's process."""
    return _NAME[0] if _NAME else f"command:{os.getpid()}"


def call_worker(name: str) -> None:
    """Set the name under which this process claims."""
    _NAME[:] = [name]


@transaction.atomic
def claim(work: Work) -> Work | None:
    """Take a step that is ready or whose worker went silent; None when another one has it or it has ended."""
    now = timezone.now()
    free = Q(state=State.READY) | Q(state=State.RUNNING, lease_until__lt=now)
    taken = (
        type(work)
        ._default_manager.filter(free, pk=work.pk)
        .update(
            state=State.RUNNING,
            worker=worker_name(),
            attempts=F("attempts") + 1,
            fence=F("fence") + 1,
            lease_until=now + settings.STEP_LEASE,
            started_at=now,
            finished_at=None,
            error="",
        )
    )
    if not taken:
        return None
    custody.seal([work])
    work.refresh_from_db()
    return work


def finish(work: ClaimedWork, **values: object) -> None:
    """End a claimed step inside the transaction that holds its results; LostClaim rolls them back."""
    now = timezone.now()
    ended = (
        type(work)
        ._default_manager.filter(pk=work.pk, fence=work.fence, state=State.RUNNING)
        .update(state=State.DONE, lease_until=None, finished_at=now, **values)
    )
    if not ended:
        raise LostClaim(f"{work} was taken over by another worker.")
    custody.seal([work])


@transaction.atomic
def give_back(work: ClaimedWork, error: str) -> None:
    """Let another attempt be made, or fail the step for good after the last one."""
    failed = work.attempts >= settings.STEP_ATTEMPTS
    type(work)._default_manager.filter(pk=work.pk, fence=work.fence, state=State.RUNNING).update(
        state=State.FAILED if failed else State.READY,
        lease_until=None,
        finished_at=timezone.now() if failed else None,
        error=error[:2000],
    )
    custody.seal([work])


@transaction.atomic
def fail(work: ClaimedWork, error: str) -> None:
    """Fail a step whose input can never work; a sentence says why."""
    type(work)._default_manager.filter(pk=work.pk, fence=work.fence).update(
        state=State.FAILED, lease_until=None, finished_at=timezone.now(), error=error[:2000]
    )
    custody.seal([work])


@contextmanager
def heartbeat(work: ClaimedWork) -> Iterator[None]:
    """Renew the lease from a thread of its own while the step runs."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(work, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(work: ClaimedWork, over: threading.Event) -> None:
    try:
        while not over.wait(settings.STEP_LEASE.total_seconds() / 3):
            type(work)._default_manager.filter(pk=work.pk, fence=work.fence, state=State.RUNNING).update(
                lease_until=timezone.now() + settings.STEP_LEASE
            )
    finally:
        connections.close_all()


@transaction.atomic
def retry(work: ClaimedWork) -> None:
    """Make a failed step ready again, for a person who mended its cause."""
    if type(work)._default_manager.filter(pk=work.pk, state=State.FAILED).update(state=State.READY, attempts=0):
        custody.seal([work])
        work.refresh_from_db()
