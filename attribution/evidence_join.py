"""The strongest evidence line of each candidate of a range's differences, found set-based."""

from collections.abc import Sequence

import duckdb
import numpy as np

from attribution.evidence_lines import Line, gap_sizes
from ingestion.sql_text import literal, quoted
from reconciliation.bulk import columns

AT_ONCE = 50_000  # rows in memory


def create_evidence(duck: duckdb.DuckDBPyConnection, lines: Sequence[Line]) -> None:
    """Create `evidence` (place, rank, sentence) for the rows of `asked` and their reasons in `guess`; no row where no label speaks."""
    _load(duck, lines)
    _measure(duck)
    habits = sorted({line.habit for line in lines})
    holding = " UNION ALL ".join(f"({_holding(habit)})" for habit in habits or [""])
    duck.execute(
        "CREATE TEMP TABLE evidence AS SELECT place, rank, max({low: low, sentence: sentence}).sentence AS sentence "
        f"FROM ({holding}) GROUP BY place, rank"
    )


def _holding(habit: str) -> str:
    """SQL: the lines of a habit that hold for each candidate."""
    of_habit = f"AND l.value = k.{quoted(habit)}" if habit else ""
    return (
        "SELECT g.place, g.rank, l.low, l.sentence FROM guess g JOIN asked k ON k.place = g.place "
        "JOIN gap z ON z.place = g.place JOIN evidence_line l ON l.field = k.field AND l.claim = k.claim "
        f"AND l.reason = g.reason {of_habit} WHERE l.habit = {literal(habit)} AND z.size BETWEEN l.least AND l.most"
    )


def _load(duck: duckdb.DuckDBPyConnection, lines: Sequence[Line]) -> None:
    """Create `evidence_line`."""
    texts = ("field", "claim", "reason", "habit", "value")
    made = {name: [getattr(line, name) for line in lines] for name in texts}
    made["sentence"] = [line.sentence() for line in lines]
    numbers = {
        name: np.array([getattr(line, name) for line in lines], dtype=float) for name in ("least", "most", "low")
    }
    typed = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in made)
    with columns(duck, "given", {**made, **numbers}):
        duck.execute(f"CREATE TEMP TABLE evidence_line AS SELECT {typed}, least, most, low FROM given")


def _measure(duck: duckdb.DuckDBPyConnection) -> None:
    """Create `gap` (place, size)."""
    duck.execute("CREATE TEMP TABLE gap (place BIGINT, size SMALLINT)")
    count = duck.execute("SELECT count(*) FROM asked").fetchall()[0][0]
    for start in range(0, count, AT_ONCE):
        rows = duck.execute(
            f"SELECT kind, value_a, value_b FROM asked WHERE place >= {start} AND place < {start + AT_ONCE} ORDER BY place"
        ).df()
        with columns(duck, "made", {"place": np.arange(len(rows)) + start, "size": gap_sizes(rows)}):
            duck.execute("INSERT INTO gap SELECT place, size FROM made")
