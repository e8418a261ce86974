"""When a schedule is due: five fields of cron, or `every 5 minutes`, both in UTC."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from celery.schedules import ParseException, crontab

from ingestion.changes import ChangeRefused

UNITS = ("seconds", "minutes", "hours", "days")
FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
ROOM = (240, 96, 124, 64, 64)  # characters that beat's table has for each of them
LONGEST_LOOK = 400  # days; what is due more rarely than once a year is not found
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
HOW = 'write five fields of cron such as "0 18 * * mon-fri", or "every 5 minutes"; the times are UTC'


@dataclass(frozen=True)
class Every:
    """A number of seconds, minutes, hours or days; due at its multiples since 1970."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"every {self.count} {self.unit}"

    @property
    def step(self) -> dt.timedelta:
        """The time between two."""
        return dt.timedelta(**{self.unit: self.count})

    def latest(self, now: dt.datetime) -> dt.datetime:
        """The last due time that is not after `now`."""
        return EPOCH + (now - EPOCH) // self.step * self.step


@dataclass(frozen=True)
class Cron:
    """Minute, hour, day of month, month, day of week. All five have to hold."""

    fields: tuple[str, str, str, str, str]

    def __str__(self) -> str:
        return " ".join(self.fields)

    def latest(self, now: dt.datetime) -> dt.datetime | None:
        """The last due time that is not after `now`; None where there is none within 400 days."""
        cron: Any = crontab(**dict(zip(FIELDS, self.fields, strict=True)))
        minutes, hours = sorted(cron.minute, reverse=True), sorted(cron.hour, reverse=True)
        for back in range(LONGEST_LOOK):
            day = now.date() - dt.timedelta(days=back)
            if (
                day.day not in cron.day_of_month
                or day.month not in cron.month_of_year
                or day.isoweekday() % 7 not in cron.day_of_week
            ):
                continue
            times = (dt.datetime.combine(day, dt.time(h, m), dt.UTC) for h in hours for m in minutes)
            if (found := next((at for at in times if at <= now), None)) is not None:
                return found
        return None


Timetable = Every | Cron


def timetable(text: str) -> Timetable:
    """Read a schedule as people write it. ChangeRefused says how it is written."""
    words = text.split()
    if words[:1] == ["every"]:
        return _every(text, words[1:])
    if len(words) != len(FIELDS):
        raise ChangeRefused(f"{text!r} is no schedule: {HOW}.")
    for word, name, room in zip(words, FIELDS, ROOM, strict=True):
        if len(word) > room:
            raise ChangeRefused(f"The field {name} has {len(word)} characters, at most {room} can be kept: {HOW}.")
    cron = Cron(tuple(words))  # type: ignore[arg-type]
    try:
        crontab(**dict(zip(FIELDS, words, strict=True)))
    except (ParseException, ValueError, KeyError) as error:
        raise ChangeRefused(f"{text!r} is no schedule ({error}): {HOW}.") from None
    return cron


def _every(text: str, words: list[str]) -> Every:
    count, unit = (words[0], words[1]) if len(words) == 2 else ("1", words[0] if len(words) == 1 else "")
    unit = unit if unit.endswith("s") else f"{unit}s"
    if not count.isascii() or not count.isdigit() or unit not in UNITS or not 1 <= int(count[:5]) <= 1000:
        raise ChangeRefused(f"{text!r} is no schedule: {HOW}.")
    return Every(int(count), unit)
