"""Aligned: rows of both files that share a key, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from ingestion.suggest.column import Column
from ingestion.suggest.evidence import Evidence, compare
from ingestion.suggest.readings import Reading, Style, readings


@dataclass(frozen=True)
class Part:
    """One column of a key on each side, and the form in which they meet."""

    a: Column
    b: Column
    form: str
    sql_a: str
    sql_b: str


@dataclass(frozen=True)
class Aligned:
    """`rows` pairs of rows in the relation `aligned` (a0.., b0.., row), of `common` keys that stand once on each side.

    `keys_a`, `keys_b`: the distinct keys of a side; `keyed_a`, `keyed_b`: its rows that have one.
    """

    rows: int
    common: int
    keys_a: int
    keyed_a: int
    keys_b: int
    keyed_b: int
    readings_a: Sequence[Sequence[Reading]]
    readings_b: Sequence[Sequence[Reading]]

    def compare(self, a: int, b: int) -> Evidence:
        """What the rows say of two columns."""
        return compare(self.readings_a[a], self.readings_b[b])

    def read_by(self, letter: str, position: int, style: Style) -> float:
        """The share of a column's filled rows that a style reads."""
        held = (self.readings_a if letter == "a" else self.readings_b)[position]
        found = [it for it in held if it.style == style and it.style is not None]
        filled = int(held[0].filled.sum())
        return float((found[0].there & held[0].filled).sum()) / filled if found and filled else 0.0

    def numbers(self, letter: str, position: int, style: Style) -> np.ndarray:
        """A column's numbers in a style; not a number where there is none."""
        held = (self.readings_a if letter == "a" else self.readings_b)[position]
        found = next(it for it in held if it.style == style and it.kind == "number")
        return np.where(found.there & found.filled, found.values, np.nan)


def align(
    duck: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    columns_a: Sequence[Column],
    columns_b: Sequence[Column],
    *,
    limit: int,
    thin: int = 1,
) -> Aligned:
    """Join by a key, keep at most about `limit` rows, always the same ones, in an order that means nothing.

    `thin`: look only at the keys whose hash it divides, the same ones on both sides; the counts are scaled up.
    """
    duck.execute(f"CREATE OR REPLACE TEMP TABLE keyed_a AS {_keyed_sql('a', [part.sql_a for part in parts], thin)}")
    duck.execute(f"CREATE OR REPLACE TEMP TABLE keyed_b AS {_keyed_sql('b', [part.sql_b for part in parts], thin)}")
    sides = [
        duck.execute(f"SELECT count(*), coalesce(sum(times), 0)::BIGINT FROM keyed_{it}").fetchall()[0] for it in "ab"
    ]
    once = "FROM keyed_a x JOIN keyed_b y USING (k) WHERE x.times = 1 AND y.times = 1"
    common = int(duck.execute(f"SELECT count(*) {once}").fetchall()[0][0])
    step = thin * max(common // limit, 1)
    left = ", ".join(f"a.c{column.position} AS a{column.position}" for column in columns_a)
    right = ", ".join(f"b.c{column.position} AS b{column.position}" for column in columns_b)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE aligned AS SELECT row_number() OVER (ORDER BY k) AS row, {left}, {right} "
        f"FROM (SELECT k, x.n AS n_a, y.n AS n_b {once} AND k % {step} = 0) "
        "JOIN raw_a a ON a.__n = n_a JOIN raw_b b ON b.__n = n_b ORDER BY k"
    )
    rows = int(duck.execute("SELECT count(*) FROM aligned").fetchall()[0][0])
    return Aligned(
        rows,
        common * thin,
        sides[0][0] * thin,
        sides[0][1] * thin,
        sides[1][0] * thin,
        sides[1][1] * thin,
        readings(duck, "aligned", columns_a, "a"),
        readings(duck, "aligned", columns_b, "b"),
    )


def _keyed_sql(letter: str, expressions: Sequence[str], thin: int) -> str:
    """The hashes of a side's keys, how often each stands there and in which row."""
    parts = ", ".join(f"p{n}" for n in range(len(expressions)))
    selected = ", ".join(f"{it} AS p{n}" for n, it in enumerate(expressions))
    there = " AND ".join(f"p{n} IS NOT NULL" for n in range(len(expressions)))
    return (
        f"SELECT k, any_value(__n) AS n, count(*) AS times FROM (SELECT __n, hash({parts}) AS k FROM "
        f"(SELECT __n, {selected} FROM raw_{letter}) WHERE {there}) WHERE k % {thin} = 0 GROUP BY k"
    )


def matrix(aligned: Aligned, width_a: int, width_b: int) -> list[list[Evidence]]:
    """The evidence of every pair of columns."""
    return [[aligned.compare(a, b) for b in range(width_b)] for a in range(width_a)]


def weights(found: Sequence[Sequence[Evidence]]) -> np.ndarray:
    """Their weights."""
    return np.array([[it.weight if it.is_clear else 0.0 for it in row] for row in found], dtype=float)
