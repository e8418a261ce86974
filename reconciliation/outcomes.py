"""Outcome files: one line per delivered row of a range, kept in the lake before the transaction that names it commits.

Lines are in the order of their keys, so that who looks for one reads a hundredth of the file. Nothing may lean on that: earlier files
have none.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion import custody
from ingestion.sql_text import literal
from reconciliation.inputs import Inputs
from reconciliation.models import OutcomeCount, OutcomeFile, RunStep
from reconciliation.money import Money, money_sql

LINE = "key, side, delivery, n, state, hash"
FILE = "FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 20480"  # small groups: one or two of them may have a key
IN_BREAK = "in_break"  # the break's member says where the row stands


@dataclass(frozen=True)
class Counts:
    """Rows by side and state, and how many in all."""

    sides: dict[str, dict[str, int]]

    @property
    def records(self) -> int:
        """Rows of both sides."""
        return sum(rows for states in self.sides.values() for rows in states.values())


def write(duck: duckdb.DuckDBPyConnection, given: Inputs, path: Path) -> Counts:
    """Write the range's outcome lines; AssertionError when a delivered row has none or two.

    The view `outcome` says of each line also how the row came there (`via`) and what it amounts to (`amount`, `currency`; rows
    in a break keep theirs there).
    """
    rest = [_OF_REPEATED, _of_overtaken(given.money)]
    said = " UNION ALL ".join([*(_of_pairs(side, given.money) for side in ("a", "b")), *rest])
    duck.execute(f"CREATE TEMP VIEW outcome AS {said}")
    lines = " UNION ALL ".join([_LINES_BY_KEY, *(f"SELECT {LINE} FROM ({it} ORDER BY key)" for it in rest)])
    duck.execute(f"COPY ({lines}) TO {literal(str(path))} ({FILE})")
    sides: dict[str, dict[str, int]] = {"a": {}, "b": {}}
    counted = duck.execute(
        f"SELECT side, state, count(*) FROM read_parquet({literal(str(path))}) GROUP BY side, state"
    ).fetchall()
    for side, state, rows in counted:
        sides[side][state] = rows
    _nothing_lost(duck, sides)
    return Counts(sides)


_STATE = (
    "CASE WHEN class = 'matched' AND key NOT IN (SELECT key FROM refusal) THEN 'stored' WHEN class = 'confirmed' THEN 'stored' "
    f"WHEN class IN ('out_of_scope', 'superseded') THEN class ELSE '{IN_BREAK}' END AS state"
)


def _of_pairs(side: str, money: Money | None) -> str:
    return (
        f"SELECT key, {literal(side)} AS side, {side}_delivery AS delivery, {side}_n AS n, {_STATE}, hash, "
        "CASE WHEN class = 'matched' AND (a_carried OR b_carried) THEN 'late' ELSE class END AS via, "
        f"{money_sql(money, f'{side}_')} FROM pair WHERE {side}_n IS NOT NULL AND NOT {side}_carried"
    )


# The same lines in the order of their keys: pairs are put in order, half as many as lines, and then each is two.
_LINES_BY_KEY = (
    f"SELECT {LINE} FROM (SELECT key, unnest(['a', 'b']) AS side, unnest([a_delivery, b_delivery]) AS delivery, "
    "unnest([a_n, b_n]) AS n, state, hash FROM (SELECT key, a_delivery, b_delivery, CASE WHEN NOT a_carried THEN a_n END AS a_n, "
    f"CASE WHEN NOT b_carried THEN b_n END AS b_n, {_STATE}, hash FROM pair ORDER BY key)) WHERE n IS NOT NULL"
)

_OF_REPEATED = (
    f"SELECT key, side, delivery, n, '{IN_BREAK}' AS state, NULL AS hash, 'duplicate' AS via, {money_sql(None)} "
    "FROM repeated WHERE NOT carried"
)


def _of_overtaken(money: Money | None) -> str:
    rows = (f"SELECT {literal(side)} AS side, delivery, n, {money_sql(money)} FROM fresh_{side}" for side in ("a", "b"))
    return (
        "SELECT o.key, o.side, o.delivery, o.n, 'superseded' AS state, NULL AS hash, 'superseded' AS via, f.amount, f.currency "
        f"FROM overtaken o JOIN ({' UNION ALL '.join(rows)}) f ON f.side = o.side AND f.delivery = o.delivery AND f.n = o.n"
    )


def _nothing_lost(duck: duckdb.DuckDBPyConnection, sides: dict[str, dict[str, int]]) -> None:
    for side in ("a", "b"):
        received = duck.execute(f"SELECT count(*) FROM fresh_{side}").fetchall()[0][0]
        if received != sum(sides[side].values()):
            raise AssertionError(f"Side {side} has {received} rows, but {sum(sides[side].values())} outcomes.")


def register(step: RunStep, name: str, sha256: str, counts: Counts) -> OutcomeFile:
    """The row that names an outcome file, with its counts per side and state."""
    file = OutcomeFile.objects.create(step=step, path=name, sha256=sha256, rows=counts.records)
    OutcomeCount.objects.bulk_create(
        OutcomeCount(file=file, side=side, state=state, rows=rows)
        for side, states in counts.sides.items()
        for state, rows in states.items()
    )
    custody.seal([file])
    custody.seal(list(file.counts.all()))
    return file
