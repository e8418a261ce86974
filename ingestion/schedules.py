"""Schedules: what beat asks for, and when. They live in django-celery-beat's tables; a thing has one schedule at most."""

import json
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from ingestion.changes import Change, ChangeRefused, sign_versions, tell
from ingestion.timetable import FIELDS, Cron, Every, Timetable, timetable

PULL = "config.tasks.pull_on_schedule"
RUN = "config.tasks.run_on_schedule"
TRAIN = "config.tasks.train_on_schedule"
VERBS = {PULL: "Pull", RUN: "Run", TRAIN: "Train"}


def name_of(task: str, code: str) -> str:
    """What beat calls it: `Pull ledger`, `Run payments`."""
    return f"{VERBS[task]} {code}"


def schedule_of(task: str, code: str) -> PeriodicTask | None:
    """A source's or a reconciliation's own schedule."""
    return _with_times().filter(name=name_of(task, code)).first()


def schedules_of(asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PeriodicTask]:
    """The same of several (task, code) at once; those that have none are left out."""
    names = {name_of(task, code): (task, code) for task, code in asked}
    return {names[it.name]: it for it in _with_times().filter(name__in=names)}


def _with_times() -> QuerySet[PeriodicTask]:
    return PeriodicTask.objects.select_related("crontab", "interval")


def code_of(schedule: PeriodicTask) -> str:
    """The source or reconciliation that it is for."""
    return str(json.loads(schedule.kwargs or "{}").get("code", ""))


def own_schedules(tasks: Iterable[str] = VERBS) -> list[PeriodicTask]:
    """The enabled schedules of sources and reconciliations."""
    return list(_with_times().filter(task__in=list(tasks), enabled=True).order_by("pk"))


def scheduled_codes(task: str) -> list[str]:
    """What has a schedule of its own, enabled or not."""
    return [code_of(it) for it in PeriodicTask.objects.filter(task=task)]


def timetable_of(schedule: PeriodicTask) -> Timetable:
    """When it is due."""
    if schedule.interval is not None:
        return Every(schedule.interval.every, schedule.interval.period)
    if schedule.crontab is None:
        raise ChangeRefused(f"{schedule.name} has neither a crontab nor an interval.")
    return Cron(tuple(getattr(schedule.crontab, name) for name in FIELDS))


@transaction.atomic
def put_schedule(*, task: str, code: str, text: str, enabled: bool | None = None) -> list[Change]:
    """Give a source or a reconciliation its schedule; an empty text takes it away. `enabled` of None leaves that as it is.

    ChangeRefused where the text cannot be read.
    """
    held, name = schedule_of(task, code), name_of(task, code)
    said = f"schedule {name.lower()}"
    if not text:
        if held is None:
            return []
        removed = tell([Change(PeriodicTask, "delete", f"{said}: removed")], of=held, before=_told(held), after=None)
        sign_versions()
        held.delete()
        return removed
    wanted = timetable(text)
    if enabled is None:
        enabled = held is None or held.enabled
    if held is not None and timetable_of(held) == wanted and held.enabled == enabled:
        return []
    before = _told(held) if held else None
    row = held or PeriodicTask(name=name, task=task, kwargs=json.dumps({"code": code}))
    row.crontab, row.interval, row.enabled = _crontab(wanted), _interval(wanted), enabled
    sign_versions()
    row.save()
    change = Change(PeriodicTask, "add", f"{said}: {wanted}")
    if held is not None:
        change = Change(PeriodicTask, "change", f"{said}: changed to {wanted}{'' if enabled else ', disabled'}")
    return tell([change], of=row, before=before, after=_told(row))


def _told(schedule: PeriodicTask) -> dict[str, object]:
    return {"times": str(timetable_of(schedule)), "enabled": schedule.enabled}


def _crontab(wanted: Timetable) -> CrontabSchedule | None:
    if not isinstance(wanted, Cron):
        return None
    values = dict(zip(FIELDS, wanted.fields, strict=True))
    return CrontabSchedule.objects.filter(timezone="UTC", **values).first() or CrontabSchedule.objects.create(
        timezone="UTC", **values
    )


def _interval(wanted: Timetable) -> IntervalSchedule | None:
    if not isinstance(wanted, Every):
        return None
    values = {"every": wanted.count, "period": wanted.unit}
    return IntervalSchedule.objects.filter(**values).first() or IntervalSchedule.objects.create(**values)
