"""Due times as people ask for them: overdue, due today, later. Days are those of UTC."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Case, CharField, Q, Value, When

OVERDUE, TODAY, LATER, NEVER = "overdue", "today", "later", "none"
DUE: Mapping[str, str] = {OVERDUE: "Overdue", TODAY: "Today", LATER: "Later", NEVER: "No due time"}
DAY, HOUR, MINUTE = 86_400, 3600, 60


def due_is(name: str, now: dt.datetime) -> Q:
    """Breaks that are due so; none for a word that there is not."""
    midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
    conditions = {
        OVERDUE: Q(due_at__lte=now),
        TODAY: Q(due_at__gt=now, due_at__lt=midnight),
        LATER: Q(due_at__gt=now, due_at__gte=midnight),
        NEVER: Q(due_at=None),
    }
    return conditions.get(name, Q(pk=None))


def due_word(now: dt.datetime) -> Case:
    """By which of these words each break is due."""
    cases = [When(due_is(name, now), then=Value(name)) for name in DUE]
    return Case(*cases, output_field=CharField())


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
