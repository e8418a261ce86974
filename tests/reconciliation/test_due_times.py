"""Due times: hours run on business days only, business days end at the same time of day, the first rule that is about a break counts."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from reconciliation.due_times import DueRule, due_sql
from reconciliation.engine.business_days import Calendar
from reconciliation.rules import Rules

FRIDAY, SATURDAY = dt.datetime(2026, 11, 20, 22, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
PLAIN = Calendar()
CLOSED_MONDAY = Calendar(holidays=frozenset({dt.date(2026, 11, 23)}))


@pytest.mark.parametrize(
    ("rule", "start", "calendar", "due"),
    [
        (DueRule(hours=1), FRIDAY, PLAIN, "2026-11-20T23:00"),
        (DueRule(hours=2), FRIDAY, PLAIN, "2026-11-21T00:00"),
        (DueRule(hours=4), FRIDAY, PLAIN, "2026-11-23T02:00"),
        (DueRule(hours=4), SATURDAY, PLAIN, "2026-11-23T04:00"),
        (DueRule(hours=4), FRIDAY, CLOSED_MONDAY, "2026-11-24T02:00"),
        (DueRule(hours=50), FRIDAY, PLAIN, "2026-11-25T00:00"),
        (DueRule(business_days=1), FRIDAY, PLAIN, "2026-11-23T22:00"),
        (DueRule(business_days=1), SATURDAY, PLAIN, "2026-11-23T09:00"),
        (DueRule(business_days=5), FRIDAY, CLOSED_MONDAY, "2026-11-30T22:00"),
    ],
)
def test_when_it_is_due(rule: DueRule, start: dt.datetime, calendar: Calendar, due: str) -> None:
    assert rule.until(start, calendar) == dt.datetime.fromisoformat(f"{due}+00:00")


def test_the_first_rule_that_is_about_a_break_counts() -> None:
    rules = Rules(
        {
            "sla": [
                {"kind": "gate", "hours": 1},
                {"over": {"EUR": "100", "*": "1000"}, "hours": 2},
                {"kind": "differing", "hours": 3},
            ]
        }
    ).sla
    assert rules[1].over == {"EUR": Decimal(100), "*": Decimal(1000)}
    start = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
    breaks = [("gate", "500", "EUR"), ("missing_in_a", "-500", "EUR"), ("missing_in_a", "500", "USD"), ("missing_in_a", None, ""),
              ("differing", "100", "EUR"), ("duplicate", "5000", "")]  # fmt: skip
    duck = duckdb.connect()
    duck.execute("SET TimeZone = 'UTC'")
    duck.execute("CREATE TABLE b (n INTEGER, kind VARCHAR, amount DECIMAL(38,10), currency VARCHAR)")
    duck.executemany("INSERT INTO b VALUES (?, ?, ?, ?)", [(n, *it) for n, it in enumerate(breaks)])
    found = duck.execute(f"SELECT hour({due_sql(rules, start, PLAIN)}) FROM b ORDER BY n").fetchall()
    assert [hour for (hour,) in found] == [11, 12, None, None, 13, 12]
    assert duck.execute(f"SELECT count({due_sql((), start, PLAIN)}) FROM b").fetchall() == [(0,)]
