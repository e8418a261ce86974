"""When schedules are due, deadlines fall, and business days are."""

import datetime as dt

import pytest

from ingestion.changes import ChangeRefused
from ingestion.deadlines import Week, moment
from ingestion.timetable import timetable

THURSDAY = dt.datetime(2026, 11, 26, 0, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0 18 * * mon-fri", "2026-11-25 18:00:00"),
        ("0 18 * * fri", "2026-11-20 18:00:00"),
        ("*/15 6-20 * * *", "2026-11-25 20:45:00"),
        ("30 0 * * *", "2026-11-26 00:30:00"),
        ("31 0 * * *", "2026-11-25 00:31:00"),
        ("0 0 1 1 *", "2026-01-01 00:00:00"),
        ("0 3 29 2 *", None),  # further away than a year
        ("every 30 seconds", "2026-11-26 00:30:00"),
        ("every hour", "2026-11-26 00:00:00"),
        ("every 7 days", "2026-11-26 00:00:00"),
    ],
)
def test_the_last_due_time_is_found(text: str, due: str | None) -> None:
    found = timetable(text).latest(THURSDAY)
    assert (found and f"{found:%Y-%m-%d %H:%M:%S}") == due


def test_an_hour_that_a_zone_skips_or_repeats_is_one_hour_of_utc() -> None:
    night = dt.datetime(2026, 10, 25, tzinfo=dt.UTC)  # in Berlin, 02:00 to 03:00 comes twice
    due = {timetable("0 * * * *").latest(night + dt.timedelta(minutes=m)) for m in range(180)}
    assert sorted(it.hour for it in due if it) == [0, 1, 2]


@pytest.mark.parametrize(
    "text",
    ["", "0 25 * * *", "x", "every", "every 0 days", "every -1 days", "* * * * foo", "1 2 3 4 5 6", f"* {'0,' * 48}0 * * *",
     f"every {'9' * 5000} days"],
)  # fmt: skip
def test_what_is_no_schedule_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ChangeRefused, match='write five fields of cron such as "0 18'):
        timetable(text)


@pytest.mark.parametrize(
    ("day", "at", "zone", "utc"),
    [
        ("2026-11-20", "18:30", "Europe/Berlin", "2026-11-20 17:30"),
        ("2026-07-20", "18:30", "Europe/Berlin", "2026-07-20 16:30"),
        ("2026-03-29", "02:30", "Europe/Berlin", "2026-03-29 01:30"),  # skipped: 03:30 on the clock
        ("2026-10-25", "02:30", "Europe/Berlin", "2026-10-25 01:30"),  # twice: the second
        ("2026-10-25", "03:00", "Europe/Berlin", "2026-10-25 02:00"),
        ("2026-03-08", "02:30", "America/New_York", "2026-03-08 07:30"),
        ("2026-04-05", "01:45", "Australia/Lord_Howe", "2026-04-04 15:15"),  # a change of half an hour
        ("2026-11-20", "07:00", "Asia/Kolkata", "2026-11-20 01:30"),
    ],
)
def test_a_local_time_is_one_moment(day: str, at: str, zone: str, utc: str) -> None:
    found = moment(dt.date.fromisoformat(day), dt.time.fromisoformat(at), zone)
    assert f"{found:%Y-%m-%d %H:%M}" == utc
    assert found.utcoffset() == dt.timedelta(0)


def test_business_days_skip_weekend_and_holidays() -> None:
    week = Week({6, 7}, {dt.date(2026, 12, 25), dt.date(2026, 12, 28)})
    christmas = dt.date(2026, 12, 24)
    assert [week.later(christmas, count).day for count in range(4)] == [24, 29, 30, 31]
    assert not week.works(dt.date(2026, 12, 26)) and week.works(christmas)
