"""Calendars and their holidays, written."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.db import transaction

from ingestion import custody
from ingestion.changes import Change, ChangeRefused, counted, save_named, sign_versions, tell
from ingestion.models import Calendar, Holiday

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # ISO weekday 1 is the first


@transaction.atomic
def define_calendar(
    *, code: str, label: str, weekend: Collection[int], holidays: Mapping[dt.date, str]
) -> list[Change]:
    """Make a calendar what it is said to be; holidays that are not named go. A name that is empty keeps the known one."""
    said = put_calendar(code=code, label=label, weekend=weekend)
    calendar = Calendar.objects.get(code=code)
    names = dict(calendar.holidays.values_list("day", "name"))
    put = [
        change
        for day, name in holidays.items()
        for change in put_holiday(calendar=calendar, day=day, name=name or names.get(day, ""))
    ]
    dropped = drop_holidays(calendar=calendar, days=set(names) - set(holidays))
    return said + counted([*put, *dropped], f"calendar {code}: holidays")


def put_calendar(*, code: str, label: str, weekend: Collection[int]) -> list[Change]:
    """Add a calendar, or change its label or weekend (ISO weekdays); its holidays stay."""
    if len(set(weekend)) > 6:
        raise ChangeRefused("weekend: a week needs at least one working day.")
    return save_named(Calendar, code, {"label": label, "weekend": sorted(weekend)})


@transaction.atomic
def put_holiday(*, calendar: Calendar, day: dt.date, name: str) -> list[Change]:
    """Add a holiday, or give it another name."""
    held = calendar.holidays.filter(day=day).first()
    if held is not None and held.name == name:
        return []
    before = {"name": held.name} if held else None
    holiday = held or Holiday(calendar=calendar, day=day)
    holiday.name = name
    sign_versions()
    holiday.save()
    custody.seal([holiday])
    said = f"calendar {calendar}: holiday {day:%Y-%m-%d} {'renamed' if held else 'added'}"
    change = Change(Holiday, "change" if held else "add", said)
    return tell([change], of=holiday, before=before, after={"day": day, "name": name})


@transaction.atomic
def drop_holidays(*, calendar: Calendar, days: Collection[dt.date]) -> list[Change]:
    """Take holidays out of a calendar."""
    gone = list(calendar.holidays.filter(day__in=days))
    said = [change for holiday in gone for change in _dropped(holiday)]
    sign_versions()
    Holiday.objects.filter(pk__in=[holiday.pk for holiday in gone]).delete()
    custody.forget(Holiday, [holiday.pk for holiday in gone])
    return said


def _dropped(holiday: Holiday) -> list[Change]:
    said = Change(Holiday, "delete", f"calendar {holiday.calendar}: holiday {holiday.day:%Y-%m-%d} removed")
    return tell([said], of=holiday, before={"day": holiday.day, "name": holiday.name}, after=None)
