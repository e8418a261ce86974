"""What is said of a range's differences: like differences are explained once, together."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import numpy as np

from attribution.classifier import Attribution, explain, matched_late, row_attribution
from attribution.provers.evidence import Context, Difference
from ingestion.shape import Shape
from reconciliation.bulk import Column, columns
from reconciliation.models import Break

LIKE = ("field", "kind", "value_a", "value_b", "raw_a", "raw_b", "numbers")


def explain_cases(duck: duckdb.DuckDBPyConnection, shape: Shape, context: Context) -> None:
    """Create `explained` (id and break_id of a difference, `said`), `said` (no, reason, functional, functional_share (none yet),
    confidence, proof, assigned_by, unfamiliar) and `candidate` (no, rank, reason, confidence, evidence)."""
    kinds = {compared.name for compared in shape.compared if compared.leaves[0].kind in ("decimal", "integer")}
    duck.execute("CREATE TEMP TABLE number_field (field VARCHAR)")
    if kinds:
        duck.executemany("INSERT INTO number_field VALUES (?)", [[name] for name in sorted(kinds)])
    duck.execute(_LIKE_DIFFERENCES)
    duck.execute(_LIKE_ROWS)
    duck.execute(_LIKE_LATE)
    with _without_collecting():
        attributions = [
            *_of_fields(duck, shape, context),
            *_of_rows(duck),
            *(matched_late(days) for (days,) in duck.execute("SELECT days FROM like_late ORDER BY no").fetchall()),
        ]
        _keep(duck, attributions)
    duck.execute(_EXPLAINED)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Many small objects that all live to the end: looking for garbage among them takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_LIKE_DIFFERENCES = (
    "CREATE TEMP TABLE like_field AS SELECT *, row_number() OVER () - 1 AS no FROM ("
    "SELECT d.field, d.kind, d.value_a, d.value_b, d.raw_a, d.raw_b, "
    "CASE WHEN f.field IS NOT NULL THEN o.numbers END AS numbers, list(d.id) AS ids "
    f"FROM difference d JOIN cause c ON c.break_id = d.break_id AND c.kind = '{Break.Kind.DIFFERING.value}' "
    "LEFT JOIN number_field f ON f.field = d.field LEFT JOIN other_numbers o ON o.break_id = d.break_id GROUP BY ALL)"
)
_LIKE_ROWS = (
    "CREATE TEMP TABLE like_row AS SELECT *, row_number() OVER () - 1 + (SELECT count(*) FROM like_field) AS no FROM ("
    "SELECT c.kind, CASE WHEN c.kind = 'gate' THEN r.words END AS words, list(d.id) AS ids FROM cause c "
    "JOIN difference d USING (break_id) LEFT JOIN "
    "(SELECT break_id, string_agg(sentence, ' ' ORDER BY id) AS words FROM refused GROUP BY break_id) r USING (break_id) "
    f"WHERE c.kind <> '{Break.Kind.DIFFERING.value}' GROUP BY ALL)"
)
_LIKE_LATE = (
    "CREATE TEMP TABLE like_late AS SELECT *, row_number() OVER () - 1 + (SELECT count(*) FROM like_field) "
    "+ (SELECT count(*) FROM like_row) AS no FROM (SELECT days, list(id) AS ids FROM late GROUP BY days)"
)
_EXPLAINED = (
    "CREATE TEMP TABLE explained AS SELECT d.id, d.break_id, l.no AS said, d.field, d.kind, d.value_a, d.value_b, "
    "d.run_id, l.is_late FROM (SELECT unnest(ids) AS id, no, false AS is_late FROM like_field UNION ALL "
    "SELECT unnest(ids), no, false FROM like_row) l JOIN difference d ON d.id = l.id UNION ALL "
    "SELECT t.id, t.break_id, l.no, NULL, NULL, NULL, NULL, NULL, true FROM "
    "(SELECT unnest(ids) AS id, no FROM like_late) l JOIN late t ON t.id = l.id"
)


def _of_fields(duck: duckdb.DuckDBPyConnection, shape: Shape, context: Context) -> list[Attribution]:
    leaves = {compared.name: compared.leaves[0] for compared in shape.compared}
    rows = duck.execute(f"SELECT {', '.join(LIKE)} FROM like_field ORDER BY no").fetchall()
    evidence = [
        Difference(
            *(field, leaves.get(field), kind, a, b, raw_a, raw_b),
            record_a={it["name"]: it["a"] for it in numbers or ()},
            record_b={it["name"]: it["b"] for it in numbers or ()},
        )
        for field, kind, a, b, raw_a, raw_b, numbers in rows
    ]
    return explain(evidence, context)


def _of_rows(duck: duckdb.DuckDBPyConnection) -> list[Attribution]:
    rows = duck.execute("SELECT kind, words FROM like_row ORDER BY no").fetchall()
    return [row_attribution(kind, words or "") for kind, words in rows]


def _keep(duck: duckdb.DuckDBPyConnection, said: Sequence[Attribution]) -> None:
    made: dict[str, Column] = {
        "no": np.arange(len(said)),
        "reason": [it.reason for it in said],
        "functional": [it.functional for it in said],
        "confidence": [str(it.confidence) for it in said],
        "proof": [it.proof for it in said],
        "assigned_by": [it.assigned_by for it in said],
    }
    _table(
        duck,
        "said",
        made,
        "CAST(functional AS BOOLEAN) AS functional, CAST(NULL AS DECIMAL(6,5)) AS functional_share, "
        "CAST(proof AS VARCHAR) AS proof, CAST(assigned_by AS VARCHAR) AS assigned_by, '' AS unfamiliar",
    )
    ranked = [(no, rank, it) for no, one in enumerate(said) for rank, it in enumerate(one.candidates, 1)]
    made = {
        "no": np.array([no for no, _, _ in ranked], dtype=np.int64),
        "rank": np.array([rank for _, rank, _ in ranked], dtype=np.uint8),
        "reason": [it.reason for _, _, it in ranked],
        "confidence": [str(it.confidence) for _, _, it in ranked],
        "evidence": [it.sentence for _, _, it in ranked],
    }
    _table(duck, "candidate", made, "rank, CAST(evidence AS VARCHAR) AS evidence")


def _table(duck: duckdb.DuckDBPyConnection, name: str, made: Mapping[str, Column], rest: str) -> None:
    with columns(duck, "made", made):
        duck.execute(
            f"CREATE TEMP TABLE {name} AS SELECT no, CAST(reason AS VARCHAR) AS reason, "
            f"CAST(confidence AS DECIMAL(6,5)) AS confidence, {rest} FROM made"
        )
