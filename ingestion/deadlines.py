"""Deadlines: a local time on a business day, as a moment; and how they are set."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction

from ingestion import custody
from ingestion.changes import Change, ChangeRefused, sign_versions, tell
from ingestion.models import Calendar, Deadline, Source
from ingestion.suggestion import nearest_end

MOST_AFTER = 30  # business days
MOST_GRACE = 1440  # minutes
DAY = dt.timedelta(days=1)
FARTHEST = 400  # days that business days may lie apart


@dataclass(frozen=True)
class Week:
    """Which days are business days: all that are neither weekend (ISO weekdays) nor holiday."""

    weekend: Collection[int] = ()
    holidays: Collection[dt.date] = ()

    @classmethod
    def of(cls, calendar: Calendar | None) -> "Week":
        """A calendar's; without one every day is a business day."""
        if calendar is None:
            return cls()
        return cls(frozenset(calendar.weekend), frozenset(it.day for it in calendar.holidays.all()))

    def works(self, day: dt.date) -> bool:
        """Whether it is a business day."""
        return day.isoweekday() not in self.weekend and day not in self.holidays

    def later(self, day: dt.date, count: int) -> dt.date:
        """The day so many business days later."""
        for _ in range(FARTHEST):
            if count == 0:
                return day
            day += DAY
            count -= self.works(day)
        return day


def moment(day: dt.date, at: dt.time, zone: str) -> dt.datetime:
    """A local time in UTC. A time that the clock skips counts as much after the skip; of one that comes twice, the second."""
    local = dt.datetime.combine(day, at, ZoneInfo(zone))
    return max(local.replace(fold=fold).astimezone(dt.UTC) for fold in (0, 1))


def due_at(deadline: Deadline, week: Week, business_date: dt.date) -> dt.datetime:
    """When the delivery of a business date is due, in UTC."""
    return moment(week.later(business_date, deadline.after), deadline.at, deadline.zone)


@cache
def zones() -> frozenset[str]:
    """The names of the time zones."""
    return frozenset(available_timezones())


@transaction.atomic
def put_deadline(*, source: Source, at: dt.time, zone: str, after: int, grace: int, now: dt.datetime) -> list[Change]:
    """Give a source its deadline, or change it; what was due before it was first set is not expected."""
    if zone not in zones():
        raise ChangeRefused(f"There is no time zone {zone!r}{nearest_end(zone, zones())}")
    if not 0 <= after <= MOST_AFTER or not 0 <= grace <= MOST_GRACE:
        raise ChangeRefused(f"A deadline is at most {MOST_AFTER} business days after, its grace {MOST_GRACE} minutes.")
    held = Deadline.objects.filter(source=source).first()
    values = {"at": at.replace(second=0, microsecond=0), "zone": zone, "after": after, "grace": grace}
    if held is not None and all(getattr(held, name) == value for name, value in values.items()):
        return []
    before = {name: getattr(held, name) for name in values} if held else None
    row = held or Deadline(source=source, since=now)
    for name, value in values.items():
        setattr(row, name, value)
    sign_versions()
    row.save()
    custody.seal([row])
    said = f"deadline of {source}: {at:%H:%M} {zone}, {after} business days after, {grace} minutes of grace"
    return tell([Change(Deadline, "change" if held else "add", said)], of=row, before=before, after=values)


@transaction.atomic
def drop_deadline(source: Source) -> list[Change]:
    """Expect nothing of a source any more; what was expected stays."""
    held = Deadline.objects.filter(source=source).first()
    if held is None:
        return []
    before = {name: getattr(held, name) for name in ("at", "zone", "after", "grace")}
    said = tell([Change(Deadline, "delete", f"deadline of {source}: removed")], of=held, before=before, after=None)
    custody.forget(Deadline, [held.pk])
    sign_versions()
    held.delete()
    return said
