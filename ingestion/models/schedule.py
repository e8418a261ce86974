"""Schedule: django-celery-beat's own row, with its history kept."""

import pghistory
from django_celery_beat.models import PeriodicTask


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    fields=["name", "task", "enabled", "kwargs", "crontab", "interval"],  # what beat counts is no set-up
    context_field=pghistory.ContextJSONField(),
    context_id_field=None,  # type: ignore[arg-type]
    append_only=True,
    app_label="ingestion",
    model_name="ScheduleEvent",
)
class Schedule(PeriodicTask):
    """When a source is pulled, a reconciliation runs or a model is trained."""

    class Meta:
        proxy = True
