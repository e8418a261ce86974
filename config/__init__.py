"""Tieout's wiring: settings, URLs, the task queue and the whole path."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
