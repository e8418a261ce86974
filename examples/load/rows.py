"""The two files of a desk and a day, made by DuckDB from a seed: the same arguments give the same rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

PARTIES, TRADERS = 400, 60
LAGS = 3  # days at most until a late partner comes
SHARES = (
    # what is wrong with a pair, and how many of a thousand breaks are so
    ("rounded", 90), ("settles", 60), ("sign", 80), ("swapped", 60), ("scale", 40), ("price", 110), ("amount", 170), ("cut", 50),
    ("trader", 40), ("flagged", 20), ("two", 30), ("check", 30), ("twice", 20), ("lonely_a", 60), ("lonely_b", 60),
    ("late_a", 40), ("late_b", 40),
)  # fmt: skip


@dataclass(frozen=True)
class Day:
    """What a desk delivers on a business date. `number` counts the days, from 0."""

    desk: int
    number: int
    date: date
    matched: int
    breaks: int
    seed: int


def business_days(until: date, count: int) -> list[date]:
    """The last `count` weekdays up to a date, the date itself included where it is one."""
    back = (until - timedelta(days=n) for n in range(2 * count + 7))
    return sorted([day for day in back if day.weekday() < 5][:count])


def write_day(day: Day, earlier: list[Day], folder: Path) -> tuple[Path, Path]:
    """Write a.parquet and b.parquet: the day's own rows, the late partners of `earlier` days (the latest first), and a few
    records of the day before that changed on both sides."""
    a, b = folder / f"a-{day.desk}-{day.date}.parquet", folder / f"b-{day.desk}-{day.date}.parquet"
    with duckdb.connect() as duck:
        duck.execute("SET threads = 2")
        for name, lines in (("a", _side_a), ("b", _side_b)):
            _rows(duck, day, "own")
            duck.execute(f"CREATE OR REPLACE TABLE side AS {lines('own')}")
            for lag, before in enumerate(earlier[:LAGS], start=1):
                _rows(duck, before, "before")
                duck.execute(f"INSERT INTO side {_late(name, lag)}")
            for before in earlier[:1]:
                _rows(duck, before, "before")
                duck.execute(f"INSERT INTO side {_changed('before')}")
            path = a if name == "a" else b
            order = "id" if name == "a" else f"hash(id, {day.seed})"
            duck.execute(f"COPY (SELECT * FROM side ORDER BY {order}) TO '{path}' (FORMAT parquet)")
    return a, b


def _chance(number: str, day: Day, salt: int) -> str:
    """SQL of a number from 0 to 999,999 for a row."""
    return f"(hash({number}, {day.seed}, {day.desk}, {day.number}, {salt}) % 1000000)::BIGINT"


def _rows(duck: duckdb.DuckDBPyConnection, day: Day, name: str) -> None:
    """A temp table of the day's records as side A has them, each with its `fault` (empty for a matched pair) and `lag`."""
    party = _chance("n", day, 1)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT n, "
        f"printf('%s%02d-%06d', chr({65 + day.desk}), {day.number}, n) AS id, DATE '{day.date}' AS day, "
        f"DATE '{_after(day.date, 2)}' AS settles, {party} % {PARTIES} AS party, {_chance('n', day, 2)} % {TRADERS} AS trader, "
        f"['RATES', 'SPOT', 'OPTIONS', 'CREDIT'][1 + {_chance('n', day, 3)} % 4] AS book, "
        f"['BUY', 'SELL'][1 + {_chance('n', day, 4)} % 2] AS side, ['EUR', 'USD', 'GBP'][1 + {_chance('n', day, 5)} % 3] AS currency, "
        # most amounts are small, a few are millions
        f"(10 * pow(10, {_chance('n', day, 6)} / 200000.0) + {_chance('n', day, 7)} / 100.0 + 12.34)::DECIMAL(18, 2) AS amount, "
        f"(0.9 + {_chance('n', day, 8)} / 2000000.0)::DECIMAL(12, 6) AS rate, {_chance('n', day, 9)} % 9999 AS note, "
        f"CASE WHEN n < {day.matched} THEN '' ELSE {_fault(_chance('n', day, 10))} END AS fault, "
        f"1 + {_chance('n', day, 11)} % {LAGS} AS lag FROM range({day.matched + day.breaks}) r(n)"
    )


def _fault(chance: str) -> str:
    """SQL of what is wrong with a pair."""
    return f"CASE {' '.join(f'WHEN {chance} < {upto} * 1000 THEN {name!r}' for name, upto in _steps())} END"


def _steps() -> Iterator[tuple[str, int]]:
    upto = 0
    for name, share in SHARES:
        upto += share
        yield name, upto


def _after(day: date, weekdays: int) -> date:
    while weekdays:
        day += timedelta(days=1)
        weekdays -= day.weekday() < 5
    return day


def _line(name: str, **other: str) -> str:
    """SQL of a delivered row, as texts; `other` is the SQL of columns that are not as side A has them."""
    columns = {
        "id": "id", "day": "day::VARCHAR", "settles": "settles::VARCHAR", "party": "'Bank number ' || party",
        "country": "['DE', 'FR', 'GB', 'US', 'CH'][1 + party % 5]", "trader": "'t' || trader", "book": "book", "side": "side",
        "currency": "currency", "amount": "amount::VARCHAR", "rate": "rate::VARCHAR", "note": "'Order note ' || note",
    } | other  # fmt: skip
    return f"SELECT {', '.join(f'{sql} AS {column}' for column, sql in columns.items())} FROM {name}"


CHECKED = "CASE WHEN fault = 'check' THEN (amount + 9000000)::VARCHAR ELSE amount::VARCHAR END"


def _side_a(name: str) -> str:
    return _line(name, amount=CHECKED) + " WHERE fault NOT IN ('lonely_b', 'late_a')"


def _side_b(name: str) -> str:
    amount = (
        f"CASE fault WHEN 'rounded' THEN round(amount, 0)::DECIMAL(18, 2)::VARCHAR WHEN 'sign' THEN (-amount)::VARCHAR "
        "WHEN 'two' THEN (-amount)::VARCHAR WHEN 'scale' THEN (amount * 100)::DECIMAL(18, 2)::VARCHAR "
        "WHEN 'price' THEN (amount * 1.004)::DECIMAL(18, 2)::VARCHAR WHEN 'flagged' THEN 'N/A' "
        "WHEN 'amount' THEN (amount + 5 + party * 3.17 + note / 100.0)::DECIMAL(18, 2)::VARCHAR "
        "WHEN 'swapped' THEN (CASE WHEN substr(amount::VARCHAR, 1, 1) <> substr(amount::VARCHAR, 2, 1) THEN "
        "substr(amount::VARCHAR, 2, 1) || substr(amount::VARCHAR, 1, 1) || substr(amount::VARCHAR, 3) "
        f"ELSE (amount + 90)::VARCHAR END) ELSE {CHECKED} END"
    )
    changed = {
        "amount": amount,
        "settles": "CASE WHEN fault IN ('settles', 'two') THEN (settles + CASE WHEN isodow(settles) = 5 THEN 3 ELSE 1 END)::VARCHAR ELSE settles::VARCHAR END",
        "note": "CASE WHEN fault = 'cut' THEN left('Order note ' || note, 10) ELSE 'Order note ' || note END",
        "trader": "CASE WHEN fault = 'trader' THEN 't' || (trader + 1) ELSE 't' || trader END",
    }
    lines = _line(name, **changed)
    return f"{lines} WHERE fault NOT IN ('lonely_a', 'late_b') UNION ALL {lines} WHERE fault = 'twice'"


def _late(side: str, lag: int) -> str:
    """The partners that a side delivers `lag` days late."""
    return _line("before") + f" WHERE fault = 'late_{side}' AND lag = {lag}"


def _changed(name: str) -> str:
    """Matched records of which both sides deliver another amount a day later."""
    return _line(name, amount="(amount + 1)::VARCHAR") + " WHERE fault = '' AND n % 100 = 0"
