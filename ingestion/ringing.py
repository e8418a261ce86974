"""Ringing for workers: after the commit, and never at the cost of an answer."""

import contextlib

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from ingestion.models import Normalization


def ring_for(task: str, *args: int, queue: str = "ingest") -> None:
    """Send a task; a broker that is away costs half a minute, until the next sweep."""

    def ring() -> None:
        with contextlib.suppress(OperationalError, OSError):
            current_app.send_task(f"config.tasks.{task}", list(args), queue=queue)

    transaction.on_commit(ring)


def ring_for_normalizing(work: Normalization) -> None:
    """Have a delivery normalized."""
    ring_for("normalize", work.pk)
