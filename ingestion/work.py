"""Claiming work: one conditional UPDATE takes a step, a heartbeat keeps it, the fence guards its end."""

import datetime as dt
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, connections, transaction
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
    _give_up(work, now)
    taken = (
        type(work)
        ._default_manager.filter(_is_silent(now), pk=work.pk)
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


def _is_silent(now: dt.datetime) -> Q:
    return Q(state=State.READY) | Q(state=State.RUNNING, lease_until__lt=now)


def silent(kind: type[ClaimedWork], now: dt.datetime) -> list[int]:
    """The ids of work of a kind that no worker has: not yet, or no longer."""
    return list(kind._default_manager.filter(_is_silent(now)).order_by("pk").values_list("pk", flat=True))


def _give_up(work: ClaimedWork, now: dt.datetime) -> None:
    """Fail a step whose worker went silent in the last attempt: what kills each worker would kill the next one, too."""
    silent = type(work)._default_manager.filter(
        pk=work.pk, state=State.RUNNING, lease_until__lt=now, attempts__gte=settings.STEP_ATTEMPTS
    )
    sentence = (
        f"Given up after {settings.STEP_ATTEMPTS} attempts: {work.worker or 'its worker'} went silent in the last one "
        "(killed, or out of memory). Mend the cause, then run again."
    )
    if silent.update(state=State.FAILED, lease_until=None, finished_at=now, error=sentence):
        custody.seal([work])


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
def give_back(work: ClaimedWork, error: BaseException) -> None:
    """Let another attempt be made, or fail the step for good after the last one; the error is kept as one line.

    LostClaim when another worker has the step by now: then the error is a consequence, and the other one's result stands.
    """
    failed = work.attempts >= settings.STEP_ATTEMPTS
    given_back = (
        type(work)
        ._default_manager.filter(pk=work.pk, fence=work.fence, state=State.RUNNING)
        .update(
            state=State.FAILED if failed else State.READY,
            lease_until=None,
            finished_at=timezone.now() if failed else None,
            error=_kept(f"{' '.join(str(error).split())} ({type(error).__name__})".strip()),
        )
    )
    if not given_back:
        raise LostClaim(f"{work} was taken over by another worker.") from error
    custody.seal([work])


@transaction.atomic
def fail(work: ClaimedWork, error: str, **values: object) -> None:
    """Fail a step whose input can never work; a sentence says why."""
    type(work)._default_manager.filter(pk=work.pk, fence=work.fence).update(
        state=State.FAILED, lease_until=None, finished_at=timezone.now(), error=_kept(error), **values
    )
    custody.seal([work])


def _kept(sentence: str) -> str:
    """As the database can keep it: a sentence that quotes a file may hold a NUL."""
    return sentence.replace("\0", "\\x00")[:2000]


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
    while not over.wait(settings.STEP_LEASE.total_seconds() / 3):
        with suppress(DatabaseError):  # a cut connection costs one beat, the next one makes another
            type(work)._default_manager.filter(pk=work.pk, fence=work.fence, state=State.RUNNING).update(
                lease_until=timezone.now() + settings.STEP_LEASE
            )
        connections.close_all()


@transaction.atomic
def retry(work: ClaimedWork) -> bool:
    """Make a failed step ready again, for a person who mended its cause. Whether it had failed."""
    failed = type(work)._default_manager.filter(pk=work.pk, state=State.FAILED)
    if not failed.update(state=State.READY, attempts=0):
        return False
    custody.seal([work])
    work.refresh_from_db()
    return True
