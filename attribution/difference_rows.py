"""Differences as the rows that the model sees, the same for training and serving: read from what the provers explained."""

from collections.abc import Sequence

import duckdb

from ingestion.shape import Leaf, Shape
from ingestion.sql_text import literal, quoted
from reconciliation.inputs import leaf_text
from reconciliation.models import Break

CODES = ("field", "kind", "claim")
OF_RECORD = "record's "  # before a field of the record that people act through
SORTS = {"integer": "number", "decimal": "number", "date": "date", "datetime": "date"}


def acted_through(shape: Shape) -> list[Leaf]:
    """The leaves that may show who and where: references and texts, neither keys nor sensitive."""
    return [leaf for leaf in shape.leaves if leaf.kind == "text" and not leaf.key and not leaf.sensitive]


def create_rows(duck: duckdb.DuckDBPyConnection, shape: Shape, context: Sequence[str]) -> None:
    """Create `field_row`: a line per set of differences of differing breaks that the model cannot tell apart, with `no`, `said`
    (what the provers said of them), `field`, `kind` (number, date, text), both values, `claim`, a column per name of `context`
    (fields of the record, under `record's NAME`) and `ids`."""
    leaves = {leaf.name: leaf for leaf in acted_through(shape)}
    of_record = [
        (_of_record(leaves[name]) if name in leaves else "''") + f" AS {quoted(OF_RECORD + name)}" for name in context
    ]
    sorts = ", ".join(
        f"({literal(compared.name)}, {literal(SORTS.get(compared.leaves[0].kind, 'text'))})"
        for compared in shape.compared
    )
    shown = ", ".join(["e.said", "e.field", "f.sort AS kind", "e.value_a", "e.value_b", _CLAIM, *of_record])
    duck.execute(
        "CREATE TEMP TABLE field_row AS SELECT *, row_number() OVER () - 1 AS no FROM ("
        f"SELECT {shown}, list(e.id) AS ids FROM explained e JOIN cause c ON c.break_id = e.break_id "
        f"AND c.kind = {literal(Break.Kind.DIFFERING.value)} JOIN (VALUES {sorts}) f (name, sort) ON f.name = e.field "
        "LEFT JOIN candidate l ON l.no = e.said AND l.rank = 1 "
        "LEFT JOIN row_a a ON a.break_id = e.break_id LEFT JOIN row_b b ON b.break_id = e.break_id "
        "WHERE NOT e.is_late GROUP BY ALL)"
    )


_CLAIM = "coalesce(l.reason, '') AS claim"


def _of_record(leaf: Leaf) -> str:
    return f"coalesce({leaf_text('a.record', leaf)}, {leaf_text('b.record', leaf)}, '')"
