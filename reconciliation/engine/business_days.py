"""Calendar: counting business days."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

WEEK = 7


@dataclass(frozen=True)
class Calendar:
    """Weekend as ISO weekdays (1 = Monday to 7 = Sunday), and holidays."""

    weekend: frozenset[int] = frozenset({6, 7})
    holidays: frozenset[dt.date] = frozenset()

    @cached_property
    def _closed(self) -> tuple[dt.date, ...]:
        """The holidays that take a business day away."""
        return tuple(sorted(day for day in self.holidays if day.isoweekday() not in self.weekend))

    @cached_property
    def _after(self) -> tuple[int, ...]:
        """Working weekdays among the `rest` days after a weekday, at (weekday - 1) * 7 + rest."""
        return tuple(
            sum((weekday + n - 1) % WEEK + 1 not in self.weekend for n in range(1, rest + 1))
            for weekday in range(1, WEEK + 1)
            for rest in range(WEEK)
        )

    def works_on(self, day: dt.date) -> bool:
        """Whether a day is a business day."""
        return day.isoweekday() not in self.weekend and day not in self.holidays

    def business_days_between(self, start: dt.date, end: dt.date) -> int:
        """Business days after `start` up to and with `end`; negative when `end` is the earlier."""
        low, high = sorted((start, end))
        weeks, rest = divmod((high - low).days, WEEK)
        days = weeks * (WEEK - len(self.weekend)) + self._after[(low.isoweekday() - 1) * WEEK + rest]
        days -= sum(low < day <= high for day in self._closed)
        return days if start <= end else -days

    def sql(self, a: str, b: str, limit: int) -> str:
        """DuckDB SQL: at most `limit` business days lie between two dates, in either direction."""
        low, high, days = f"least({a}, {b})", f"greatest({a}, {b})", f"abs({a} - {b})"
        rest = f"[{', '.join(map(str, self._after))}][(isodow({low}) - 1) * {WEEK} + {days} % {WEEK} + 1]"
        count = f"{days} // {WEEK} * {WEEK - len(self.weekend)} + {rest}"
        if self._closed:
            closed = ", ".join(f"DATE '{day}'" for day in self._closed)
            count += f" - len(list_filter([{closed}], lambda day: day > {low} AND day <= {high}))"
        return f"{count} <= {limit}"
