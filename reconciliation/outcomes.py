"""Outcome files: one line per delivered row of a range, kept in the lake before the transaction that names it commits."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion import custody
from ingestion.sql_text import literal
from reconciliation.inputs import Inputs
from reconciliation.models import OutcomeCount, OutcomeFile, RunStep

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
    """Write the range's outcome lines; AssertionError when a delivered row has none or two."""
    lines = " UNION ALL ".join([*(_of_pairs(side) for side in ("a", "b")), _OF_REPEATED, _OF_OVERTAKEN])
    duck.execute(f"CREATE TEMP VIEW outcome AS {lines}")
    duck.execute(f"COPY (SELECT * FROM outcome) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)")
    sides: dict[str, dict[str, int]] = {"a": {}, "b": {}}
    counted = duck.execute(
        f"SELECT side, state, count(*) FROM read_parquet({literal(str(path))}) GROUP BY side, state"
    ).fetchall()
    for side, state, rows in counted:
        sides[side][state] = rows
    _nothing_lost(duck, sides)
    return Counts(sides)


def _of_pairs(side: str) -> str:
    return (
        f"SELECT key, {literal(side)} AS side, {side}_delivery AS delivery, {side}_n AS n, "
        "CASE WHEN class = 'matched' AND key NOT IN (SELECT key FROM refusal) THEN 'stored' "
        "WHEN class = 'confirmed' THEN 'stored' WHEN class IN ('out_of_scope', 'superseded') THEN class "
        f"ELSE '{IN_BREAK}' END AS state, hash FROM pair WHERE {side}_n IS NOT NULL AND NOT {side}_carried"
    )


_OF_REPEATED = f"SELECT key, side, delivery, n, '{IN_BREAK}' AS state, NULL AS hash FROM repeated WHERE NOT carried"
_OF_OVERTAKEN = "SELECT key, side, delivery, n, 'superseded' AS state, NULL AS hash FROM overtaken"


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
