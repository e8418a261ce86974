"""The Celery application: JSON only, one queue a stage, nothing that the database does not also know."""

import logging.config
import os
import signal
from types import FrameType

from celery import Celery
from celery.signals import beat_init, setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tieout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _log_as_the_site_does(**_: object) -> None:
    logging.config.dictConfig(settings.LOGGING)


@beat_init.connect
def _end_beat_outside_of_queries(**_: object) -> None:
    """Beat's own handlers save inside of the signal, where they wait for ever for the query that it interrupted."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(0)  # beat saves when it has left what it was doing
