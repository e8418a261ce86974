"""The Celery application: JSON only, one queue a stage, nothing that the database does not also know."""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tieout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _log_as_the_site_does(**_: object) -> None:
    logging.config.dictConfig(settings.LOGGING)
