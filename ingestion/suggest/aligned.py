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
    """`rows` pairs of rows in the relation `aligned` (a0.., b0.., row), of `common` keys that stand once on each side."""

    rows: int
    common: int
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
) -> Aligned:
    """Join by a key, keep at most about `limit` rows, always the same ones, in an order that means nothing."""
    duck.execute(f"CREATE OR REPLACE TEMP TABLE once_a AS {_once_sql('a', [part.sql_a for part in parts])}")
    duck.execute(f"CREATE OR REPLACE TEMP TABLE once_b AS {_once_sql('b', [part.sql_b for part in parts])}")
    common = int(duck.execute("SELECT count(*) FROM once_a JOIN once_b USING (k)").fetchall()[0][0])
    step = max(common // limit, 1)
    left = ", ".join(f"a.c{column.position} AS a{column.position}" for column in columns_a)
    right = ", ".join(f"b.c{column.position} AS b{column.position}" for column in columns_b)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE aligned AS SELECT row_number() OVER (ORDER BY k) AS row, {left}, {right} "
        f"FROM (SELECT * FROM once_a WHERE k % {step} = 0) x JOIN once_b y USING (k) "
        "JOIN raw_a a ON a.__n = x.n JOIN raw_b b ON b.__n = y.n"
    )
    rows = int(duck.execute("SELECT count(*) FROM aligned").fetchall()[0][0])
    return Aligned(
        rows,
        common,
        [readings(duck, "aligned", column, f"a{column.position}") for column in columns_a],
        [readings(duck, "aligned", column, f"b{column.position}") for column in columns_b],
    )


def _once_sql(letter: str, expressions: Sequence[str]) -> str:
    """The hashes of the keys that stand once on a side, and their rows. Two keys of one hash are left out like a repeat."""
    parts = ", ".join(expressions)
    there = " AND ".join(f"({it}) IS NOT NULL" for it in expressions)
    return (
        f"SELECT hash({parts}) AS k, any_value(__n) AS n FROM raw_{letter} WHERE {there} GROUP BY k HAVING count(*) = 1"
    )


def matrix(aligned: Aligned, width_a: int, width_b: int) -> list[list[Evidence]]:
    """The evidence of every pair of columns."""
    return [[aligned.compare(a, b) for b in range(width_b)] for a in range(width_a)]


def weights(found: Sequence[Sequence[Evidence]]) -> np.ndarray:
    """Their weights."""
    return np.array([[it.weight if it.is_clear else 0.0 for it in row] for row in found], dtype=float)
