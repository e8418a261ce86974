"""Due times: until when a person has to have decided a break, by the rules of its reconciliation. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ingestion.sql_text import literal
from reconciliation.engine.business_days import Calendar

MOST_HOURS, MOST_DAYS = 1000, 60
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class DueRule:
    """How long people have for breaks of a kind (empty: any) whose amount is above a limit of its currency (`*`: any other; no
    limits: any amount). Either hours or business days are more than 0."""

    hours: int = 0
    business_days: int = 0
    kind: str = ""
    over: Mapping[str, Decimal] = field(default_factory=dict)

    def until(self, start: dt.datetime, calendar: Calendar) -> dt.datetime:
        """When it is due, counted from a moment: hours run on business days only, days end at the same time of day."""
        if self.business_days:
            return start + DAY * _days_to(start.date(), self.business_days, calendar)
        left, at = dt.timedelta(hours=self.hours), start
        while True:
            midnight = dt.datetime.combine(at.date() + DAY, dt.time(), at.tzinfo)
            if calendar.works_on(at.date()):
                if at + left <= midnight:
                    return at + left
                left -= midnight - at
            at = midnight

    def holds_sql(self) -> str:
        """SQL of whether it is about a break, from its `kind`, `amount` and `currency`."""
        parts = [f"kind = {literal(self.kind)}"] if self.kind else []
        if self.over:
            named = [f"WHEN currency = {literal(it)} THEN {limit:f}" for it, limit in self.over.items() if it != "*"]
            limits = f"CASE {' '.join(named)} ELSE {self._any_other()} END" if named else self._any_other()
            parts.append(f"abs(amount) > {limits}")
        return " AND ".join(parts) or "true"

    def _any_other(self) -> str:
        return f"{self.over['*']:f}" if "*" in self.over else "NULL"


def _days_to(day: dt.date, count: int, calendar: Calendar) -> int:
    """Days until so many business days are over."""
    days = 0
    while count:
        days += 1
        count -= calendar.works_on(day + DAY * days)
    return days


def due_sql(rules: Iterable[DueRule], start: dt.datetime, calendar: Calendar) -> str:
    """SQL of when a break is due, counted from a moment, as the first rule that is about it says; null where none is."""
    cases = [f"WHEN {it.holds_sql()} THEN {_moment(it.until(start, calendar))}" for it in rules]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::TIMESTAMPTZ"


def _moment(at: dt.datetime) -> str:
    return f"TIMESTAMPTZ {literal(at.isoformat())}"
