"""Breaks to explain, brought into DuckDB in a query per part: those of a range that wait, or those that bear labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from attribution.models import Correction, Draw
from ingestion.shape import Shape
from ingestion.sql_text import literal
from reconciliation.bulk import copy_out
from reconciliation.inputs import leaf_text
from reconciliation.models import Break, Difference, Reconciliation, RunStep

DIFFERING = Break.Kind.DIFFERING.value


@dataclass(frozen=True)
class Chosen:
    """Which breaks and differences are looked at: SQL conditions on `b` and `d`, each with its parameters."""

    breaks: str
    of_breaks: Sequence[object]
    differences: str
    of_differences: Sequence[object] = ()


def waiting(step: RunStep) -> Chosen:
    """What the run opened or changed in the step's range, and nobody explained yet."""
    return Chosen(
        "b.last_run_id = %s AND b.state = 'in_flight' AND b.bucket BETWEEN %s AND %s",
        [step.run_id, step.first_bucket, step.last_bucket],
        "d.current",
    )


def labelled(reconciliation: Reconciliation, also: Sequence[int] = ()) -> Chosen:
    """The differences whose reason a person named, and some others. By their ids: whatever the planner knows, it looks each up once."""
    differences = Difference.objects.filter(brk__reconciliation=reconciliation, brk__kind=DIFFERING).order_by()
    named = Exists(Correction.objects.standing().filter(difference=OuterRef("pk")))
    found = list(differences.filter(named | Q(pk__in=also)).values_list("pk", "brk_id"))
    ids, breaks = [it[0] for it in found], sorted({it[1] for it in found})
    return Chosen("b.id = ANY(%s)", [breaks], "d.id = ANY(%s)", [ids])


def doubted_differences(reconciliation: Reconciliation) -> list[int]:
    """Those that passed and that nobody gave a label, though blind auditors found the pass wrong or could not tell, and none
    found it right."""
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTED, [reconciliation.pk])
        return [pk for (pk,) in cursor.fetchall()]


_DOUBTED = (
    "SELECT DISTINCT d.id FROM attribution_draw w JOIN reconciliation_run n ON n.id = w.run_id AND n.reconciliation_id = %s "
    f"JOIN reconciliation_difference d ON d.break_id = w.break_id AND d.current WHERE w.purpose = '{Draw.Purpose.AUDIT.value}' "
    "AND EXISTS (SELECT 1 FROM attribution_attribution a WHERE a.difference_id = d.id AND a.run_id = w.run_id) "
    "AND EXISTS (SELECT 1 FROM attribution_auditanswer s WHERE s.draw_id = w.id) "
    "AND NOT EXISTS (SELECT 1 FROM attribution_auditanswer s WHERE s.draw_id = w.id AND s.functional) "
    "AND NOT EXISTS (SELECT 1 FROM attribution_correction c WHERE c.difference_id = d.id AND (c.active OR c.waiting_since IS NOT NULL))"
)


def unnamed_differences(reconciliation: Reconciliation, most: int) -> list[int]:
    """The newest differences that nobody gave a reason, in whatever state they are; so many breaks of each state are looked at."""
    states = [str(it) for it in Break.State.values if it != Break.State.IN_FLIGHT]
    with connection.cursor() as cursor:
        cursor.execute(_UNNAMED, {"states": states, "reconciliation": reconciliation.pk, "most": most})
        return [pk for (pk,) in cursor.fetchall()]


_UNNAMED = (
    "WITH newest AS (SELECT b.id FROM unnest(%(states)s::text[]) s (state) CROSS JOIN LATERAL (SELECT id FROM reconciliation_break "
    f"WHERE reconciliation_id = %(reconciliation)s AND state = s.state AND kind = '{DIFFERING}' ORDER BY id DESC LIMIT %(most)s) b) "
    "SELECT d.id FROM newest JOIN reconciliation_difference d ON d.break_id = newest.id AND d.current "
    f"AND d.field <> '{Difference.ROW}' WHERE NOT EXISTS (SELECT 1 FROM attribution_correction c WHERE c.difference_id = d.id "
    "AND (c.active OR c.waiting_since IS NOT NULL)) ORDER BY d.id DESC LIMIT %(most)s"
)


def load_cases(duck: duckdb.DuckDBPyConnection, chosen: Chosen, shape: Shape) -> int:
    """Create `cause` (break_id, key, bucket, kind, amount, currency, opened_at, due_at), `difference` (those that are chosen), `refused` (what the record
    checks said) and `first_row` (each side's first record of a differing break, as JSON). Gives how many breaks."""
    within = chosen.of_breaks
    count = copy_out(
        duck,
        "SELECT b.id, b.key, b.bucket, b.kind, b.amount, b.currency, b.opened_at, b.due_at FROM reconciliation_break b "
        f"WHERE {chosen.breaks}",
        "cause",
        {"break_id": "BIGINT", "key": "VARCHAR", "bucket": "UTINYINT", "kind": "VARCHAR", "amount": "DECIMAL(38,10)",
         "currency": "VARCHAR", "opened_at": "TIMESTAMPTZ", "due_at": "TIMESTAMPTZ"},
        within,
    )  # fmt: skip
    copy_out(
        duck,
        "SELECT d.id, d.break_id, d.run_id, d.field, d.kind, d.value_a, d.value_b, d.raw_a, d.raw_b "
        "FROM reconciliation_difference d JOIN reconciliation_break b ON b.id = d.break_id "
        f"WHERE {chosen.differences} AND {chosen.breaks}",
        "difference",
        {"id": "BIGINT", "break_id": "BIGINT", "run_id": "BIGINT", "field": "VARCHAR", "kind": "VARCHAR",
         "value_a": "VARCHAR", "value_b": "VARCHAR", "raw_a": "VARCHAR", "raw_b": "VARCHAR"},
        [*chosen.of_differences, *within],
    )  # fmt: skip
    copy_out(
        duck,
        "SELECT g.id, g.break_id, g.condition, g.sentence, g.detail "
        f"FROM reconciliation_gaterefusal g JOIN reconciliation_break b ON b.id = g.break_id WHERE g.current AND {chosen.breaks}",
        "refused",
        {"id": "BIGINT", "break_id": "BIGINT", "condition": "VARCHAR", "sentence": "VARCHAR", "detail": "VARCHAR"},
        within,
    )
    _load_first_rows(duck, chosen)
    _find_other_numbers(duck, shape)
    return count


def _load_first_rows(duck: duckdb.DuckDBPyConnection, chosen: Chosen) -> None:
    copy_out(
        duck,
        "SELECT m.break_id, m.side, m.record FROM reconciliation_member m JOIN reconciliation_break b ON b.id = m.break_id "
        f"WHERE m.current AND m.position = 1 AND b.kind = '{DIFFERING}' "
        f"AND {chosen.breaks}",
        "first_row",
        {"break_id": "BIGINT", "side": "VARCHAR", "record": "JSON"},
        chosen.of_breaks,
    )
    for side in ("a", "b"):
        duck.execute(
            f"CREATE TEMP VIEW row_{side} AS SELECT break_id, record FROM first_row WHERE side = {literal(side)}"
        )


def _find_other_numbers(duck: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """Create `other_numbers` (break_id, numbers): the decimals of both records that are not the same."""
    decimals = [leaf for leaf in shape.leaves if leaf.kind == "decimal"]
    if len(decimals) < 2:
        duck.execute("CREATE TEMP VIEW other_numbers AS SELECT NULL::BIGINT AS break_id, NULL AS numbers WHERE false")
        return
    each = ", ".join(
        f"{{name: {literal(leaf.name)}, a: {leaf_text('a.record', leaf)}, b: {leaf_text('b.record', leaf)}}}"
        for leaf in decimals
    )
    duck.execute(
        "CREATE TEMP TABLE other_numbers AS SELECT * FROM ("
        f"SELECT break_id, list_filter([{each}], lambda it: it.a <> it.b) AS numbers "
        "FROM row_a a JOIN row_b b USING (break_id)) WHERE len(numbers) > 0"
    )


def no_late(duck: duckdb.DuckDBPyConnection) -> None:
    """Create an empty `late`."""
    duck.execute("CREATE TEMP TABLE late (id BIGINT, break_id BIGINT, days INTEGER)")


def load_late(duck: duckdb.DuckDBPyConnection, step: RunStep) -> int:
    """Create `late` (id, break_id, days): differences of breaks that a later partner closed in this run. Gives how many."""
    return copy_out(
        duck,
        "SELECT d.id, d.break_id, %s::date - r.business_date FROM reconciliation_difference d "
        "JOIN reconciliation_break b ON b.id = d.break_id JOIN reconciliation_run r ON r.id = d.run_id "
        "WHERE d.current AND b.last_run_id = %s AND b.state = 'closed' AND b.closed_because = 'matched late' "
        "AND b.bucket BETWEEN %s AND %s",
        "late",
        {"id": "BIGINT", "break_id": "BIGINT", "days": "INTEGER"},
        [step.run.business_date, step.run_id, step.first_bucket, step.last_bucket],
    )
