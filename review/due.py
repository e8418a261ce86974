"""Due times as people ask for them: overdue, due today, later. Days are those of UTC."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Q

OVERDUE, TODAY, LATER, NEVER = "overdue", "today", "later", "none"
DUE: Mapping[str, str] = {OVERDUE: "Overdue", TODAY: "Today", LATER: "Later", NEVER: "No due time"}
DAY, HOUR, MINUTE = 86_400, 3600, 60


def due_is(name: str, now: dt.datetime) -> Q:
    """Breaks that are due so; none for a word that there is not. What is due in the minute that has begun is not over yet."""
    begun = minute_of(now)
    midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
    conditions = {
        OVERDUE: Q(due_at__lt=begun),
        TODAY: Q(due_at__gte=begun, due_at__lt=midnight),
        LATER: Q(due_at__gte=midnight),
        NEVER: Q(due_at=None),
    }
    return conditions.get(name, Q(pk=None))


def due_word(due_at: dt.datetime | None, now: dt.datetime) -> str:
    """By which of these words something is due."""
    if due_at is None:
        return NEVER
    if due_at < minute_of(now):
        return OVERDUE
    return TODAY if due_at.astimezone(dt.UTC).date() <= now.date() else LATER


def minute_of(now: dt.datetime) -> dt.datetime:
    """The minute that has begun: breaks are counted by the minute in which they are due."""
    return now.replace(second=0, microsecond=0)


def countdown(due_at: dt.datetime, now: dt.datetime) -> str:
    """How far a due time is away: `due in 3 h`, `overdue 2 days`."""
    seconds = (due_at - now).total_seconds()
    away = abs(seconds)
    if away >= 2 * DAY:
        told = f"{away // DAY:.0f} days"
    elif away >= HOUR:
        told = f"{away // HOUR:.0f} h"
    else:
        told = f"{max(away // MINUTE, 1):.0f} min"
    return f"due in {told}" if seconds > 0 else f"overdue {told}"
