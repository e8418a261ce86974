"""Due times, each met once: however often beat asks, and from however many machines, one insert wins."""

import datetime as dt

from django.db import transaction

from ingestion.models import Tick
from ingestion.schedules import code_of, own_schedules, schedule_of, timetable_of
from ingestion.timetable import Every, Timetable

KEPT = dt.timedelta(days=30)
ATTEMPTS = 6
PAUSE = dt.timedelta(seconds=30)


def due_time(task: str, code: str, now: dt.datetime) -> dt.datetime | None:
    """The last due time of a thing's schedule; None without one, or while it is disabled."""
    schedule = schedule_of(task, code)
    return timetable_of(schedule).latest(now) if schedule is not None and schedule.enabled else None


def meet(task: str, code: str, due_at: dt.datetime | None, now: dt.datetime) -> Tick | None:
    """Take a due time; None when somebody has it. Older ones of the thing that are not done are settled by this one."""
    if due_at is None:
        return None
    tick, is_ours = Tick.objects.get_or_create(
        task=task, code=code, due_at=due_at, defaults={"claimed_at": now, "next_at": now + PAUSE}
    )
    if not is_ours:
        return None
    Tick.objects.filter(task=task, code=code, done_at=None, due_at__lt=due_at).update(done_at=now)
    return tick


def meet_every(task: str, step: dt.timedelta, now: dt.datetime) -> Tick | None:
    """Take the present step of a task that is for all things at once; it is done with that."""
    with transaction.atomic():
        tick = meet(task, "", Every(int(step.total_seconds()), "seconds").latest(now), now)
        if tick is not None:
            settle(tick, now)
    return tick


def settle(tick: Tick, now: dt.datetime) -> None:
    """It is done."""
    Tick.objects.filter(pk=tick.pk).update(done_at=now, error="")


def put_off(tick: Tick, now: dt.datetime, error: str = "") -> None:
    """Try again later; what failed waits twice as long each time, and is given up after six times."""
    attempts = tick.attempts + bool(error)
    Tick.objects.filter(pk=tick.pk).update(
        attempts=attempts,
        error=error[:500],
        next_at=now + PAUSE * 2**attempts if error else now + PAUSE,
        done_at=now if attempts >= ATTEMPTS else None,
    )


def forgotten(now: dt.datetime) -> list[tuple[str, str]]:
    """Schedules (task, code) whose last due time nobody met, though earlier ones were: beat's message was lost."""
    schedules = [(it.task, code_of(it), timetable_of(it)) for it in own_schedules()]
    return [(task, code) for task, code, times in schedules if _is_forgotten(task, code, times, now)]


def _is_forgotten(task: str, code: str, times: Timetable, now: dt.datetime) -> bool:
    last = Tick.objects.filter(task=task, code=code).order_by("-due_at").first()
    due_at = times.latest(now)
    return last is not None and due_at is not None and last.due_at < due_at


def undone(now: dt.datetime) -> list[Tick]:
    """What was taken and is neither done nor waiting."""
    return list(Tick.objects.filter(done_at=None, next_at__lte=now).order_by("due_at"))


def forget_old(now: dt.datetime) -> None:
    """Drop what is long done."""
    Tick.objects.filter(due_at__lt=now - KEPT, done_at__isnull=False).delete()
