"""Calendar: counting business days."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Calendar:
    """Weekend as ISO weekdays (1 = Monday to 7 = Sunday), and holidays."""

    weekend: frozenset[int] = frozenset({6, 7})
    holidays: frozenset[dt.date] = frozenset()

    def works_on(self, day: dt.date) -> bool:
        """Whether a day is a business day."""
        return day.isoweekday() not in self.weekend and day not in self.holidays

    def business_days_between(self, start: dt.date, end: dt.date) -> int:
        """Business days after `start` up to and with `end`; negative when `end` is the earlier."""
        low, high = sorted((start, end))
        days = sum(self.works_on(low + dt.timedelta(days=n)) for n in range(1, (high - low).days + 1))
        return days if start <= end else -days

    def sql(self, a: str, b: str, limit: int) -> str:
        """DuckDB SQL: at most `limit` business days lie between two dates, in either direction."""
        holidays = ", ".join(f"DATE '{day}'" for day in sorted(self.holidays))
        rest = f" AND x NOT IN ({holidays})" if holidays else ""
        weekend = ", ".join(map(str, sorted(self.weekend))) or "0"
        days = f"generate_series(least({a}, {b}) + INTERVAL 1 DAY, greatest({a}, {b})::TIMESTAMP, INTERVAL 1 DAY)"
        working = f"list_filter({days}, lambda x: isodow(x) NOT IN ({weekend}){rest})"
        span = (limit + len(self.holidays) + 2) * 7
        return f"CASE WHEN abs(date_diff('day', {a}, {b})) <= {span} THEN len({working}) <= {limit} ELSE false END"
