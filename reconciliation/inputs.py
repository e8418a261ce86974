"""The two sides of a range: what the run's deliveries hold, and the earlier records that their partners wait for."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
from django.db import connection
from django.db.models import Prefetch, QuerySet
from psycopg import sql

from ingestion import lake
from ingestion.models import Delivery, Normalization
from ingestion.prepared import PK, prepared
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import literal, parquet
from reconciliation.bulk import copy_in, copy_out
from reconciliation.models import Break, Member, Run, RunInput, RunStep
from reconciliation.money import Money, money_of
from reconciliation.rules import Rules

MEMBER_COLUMNS = {
    "break_id": "BIGINT",
    "key": "VARCHAR",
    "bucket": "UTINYINT",
    "kind": "VARCHAR",
    "side": "VARCHAR",
    "delivery": "BIGINT",
    "n": "BIGINT",
    "record": "JSON",
    "raw": "JSON",
    "flags": "JSON",
}


@dataclass(frozen=True)
class Inputs:
    """What a range of a run reads."""

    run: Run
    step: RunStep
    shape: Shape
    mapped_a: frozenset[str]
    mapped_b: frozenset[str]
    snapshots: frozenset[str]
    money: Money | None


def inputs_of(step: RunStep) -> Inputs:
    """The run's shape, what each side maps, and which sides deliver snapshots."""
    step.run = run = _with_what_it_reads(step.run)
    shape = run.reconciliation.record_type.shape()
    return Inputs(
        run=run,
        step=step,
        shape=shape,
        mapped_a=mapped_names(run, "a", shape),
        mapped_b=mapped_names(run, "b", shape),
        snapshots=frozenset(it.side for it in run.inputs.all() if _is_picture(it.normalization.delivery)),
        money=money_of(shape, Rules(run.rule_set.document)),
    )


def _with_what_it_reads(run: Run) -> Run:
    """The same run, its reconciliation, fields and inputs read in three queries and kept on it."""
    related = Run.objects.select_related("rule_set", "reconciliation__a__record_type", "reconciliation__b")
    inputs = RunInput.objects.select_related("normalization__mapping", "normalization__delivery__source")
    run = related.prefetch_related(Prefetch("inputs", inputs)).get(pk=run.pk)
    run.reconciliation.record_type.keep_fields()
    return run


def _is_picture(delivery: Delivery) -> bool:
    """Whether a delivery is the complete picture of its date; repaired rows only add to one."""
    return delivery.source.delivers == "snapshot" and delivery.replayed_from_id is None


def keep_inputs(run: Run) -> None:
    """Read a run's inputs with their mappings now, and let this object answer with them from here on."""
    run.kept_inputs = prepared("inputs of a run", _inputs, {PK: run.pk})


def taken_by(run: Run) -> Iterable[RunInput]:
    """A run's inputs, as they were kept or as they stand."""
    return run.inputs.all() if run.kept_inputs is None else run.kept_inputs


def _inputs() -> QuerySet[RunInput]:
    return RunInput.objects.filter(run=PK).select_related("normalization__mapping")


def mapped_names(run: Run, side: str, shape: Shape) -> frozenset[str]:
    """The leaf names that a side's mappings fill; every leaf when the run has nothing of that side."""
    source = run.reconciliation.a if side == "a" else run.reconciliation.b
    mappings = {given.normalization.mapping for given in taken_by(run) if given.side == side}
    documents = [mapping.document for mapping in mappings] or [source.current_mapping().document]
    paths = {path for document in documents for path in document}
    return frozenset(leaf.name for leaf in shape.leaves if leaf.path in paths)


def load_sides(duck: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Create the views `fresh_a`, `fresh_b` of the range's delivered rows, and the table `overtaken` of rows whose key a
    later delivery of the same side decides."""
    duck.execute("CREATE TEMP TABLE overtaken (side VARCHAR, key VARCHAR, delivery BIGINT, n BIGINT)")
    for side in ("a", "b"):
        given = [i.normalization for i in inputs.run.inputs.all() if i.side == side]
        duck.execute(f"CREATE TEMP VIEW fresh_{side} AS {_fresh(inputs, side, given)}")
        if len(given) > 1:
            pictures = [it.delivery_id for it in given if _is_picture(it.delivery)]
            _set_overtaken_aside(duck, side, picture=max(pictures, default=0))


def _fresh(inputs: Inputs, side: str, given: list[Normalization]) -> str:
    low, high = inputs.step.first_bucket, inputs.step.last_bucket
    parts = [
        f"SELECT {_columns(inputs.shape)}, {n.delivery_id}::BIGINT AS delivery, false AS carried "
        f"FROM read_parquet({_parquet(n)}) WHERE bucket BETWEEN {low} AND {high}"
        for n in given
    ]
    return " UNION ALL ".join(parts) or _nothing(inputs.shape)


def _parquet(normalization: Normalization) -> str:
    return parquet(lake.checked(normalization.path, normalization.sha256))


def _columns(shape: Shape) -> str:
    leaves = ", ".join(f"{leaf.column}, raw_{leaf.column}" for leaf in shape.leaves)
    return f"n, bucket::UTINYINT AS bucket, key, {leaves}, flags"


def _nothing(shape: Shape) -> str:
    leaves = ", ".join(
        f"NULL::{leaf.sql_type} AS {leaf.column}, NULL::VARCHAR AS raw_{leaf.column}" for leaf in shape.leaves
    )
    return (
        f"SELECT NULL::BIGINT AS n, NULL::UTINYINT AS bucket, NULL::VARCHAR AS key, {leaves}, NULL::VARCHAR AS flags, "
        "NULL::BIGINT AS delivery, false AS carried WHERE false"
    )


def _set_overtaken_aside(duck: duckdb.DuckDBPyConnection, side: str, *, picture: int) -> None:
    """Of several deliveries the latest decides a key; the latest complete picture decides every key of those before it."""
    latest = f"SELECT key, greatest(max(delivery), {picture:d}) AS latest FROM fresh_{side} GROUP BY key"
    duck.execute(
        f"INSERT INTO overtaken SELECT {literal(side)}, f.key, f.delivery, f.n FROM fresh_{side} f "
        f"JOIN ({latest}) w USING (key) WHERE f.delivery < w.latest"
    )


def load_open_members(duck: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Bring the current members of the range's open breaks into the table `open_member`."""
    copy_out(
        duck,
        "SELECT b.id, b.key, b.bucket, b.kind, m.side, m.delivery_id, m.record_number, m.record, m.raw, m.flags "
        "FROM reconciliation_break b JOIN reconciliation_member m ON m.break_id = b.id "
        f"WHERE b.reconciliation_id = %s AND b.state = '{Break.State.REVIEW}' AND m.current "
        f"AND m.state IN ('{Member.State.WITH_BREAK}', '{Member.State.DUPLICATE}') AND b.bucket BETWEEN %s AND %s",
        "open_member",
        MEMBER_COLUMNS,
        [inputs.run.reconciliation_id, inputs.step.first_bucket, inputs.step.last_bucket],
    )


def load_decided_members(duck: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Bring the rows of decided breaks whose key comes again for the same date, from one side only, into the table
    `decided_member`: beside the same values a decision stays, beside others it reopens as a whole."""
    again = Run.objects.filter(
        reconciliation=inputs.run.reconciliation_id, business_date=inputs.run.business_date, pk__lt=inputs.run.pk
    )
    lonely = "SELECT key FROM fresh_a ANTI JOIN fresh_b USING (key) UNION SELECT key FROM fresh_b ANTI JOIN fresh_a USING (key)"
    if not again.filter(state=Run.State.DONE).exists():
        lonely = "SELECT '' AS key WHERE false"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS lonely_key")
        cursor.execute("CREATE TEMP TABLE lonely_key (key text)")
    copy_in(duck, lonely, sql.Identifier("lonely_key"), ["key"])
    copy_out(
        duck,
        "SELECT b.id, b.key, b.bucket, b.kind, m.side, m.delivery_id, m.record_number, m.record, m.raw, m.flags FROM ("
        "SELECT DISTINCT ON (b.key) b.id, b.key, b.bucket, b.kind, b.state FROM reconciliation_break b JOIN lonely_key k "
        "ON k.key = b.key WHERE b.reconciliation_id = %s ORDER BY b.key, b.id DESC) b "
        "JOIN reconciliation_member m ON m.break_id = b.id JOIN ingestion_delivery d ON d.id = m.delivery_id "
        f"WHERE b.state IN ({DECIDED}) AND m.current AND d.business_date = %s",
        "decided_member",
        MEMBER_COLUMNS,
        [inputs.run.reconciliation_id, inputs.run.business_date],
    )


DECIDED = ", ".join(f"'{state}'" for state in (Break.State.PASSED, Break.State.APPROVED, Break.State.REJECTED))


def join_sides(duck: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Create the views `standing_a`, `standing_b`: the fresh rows that stand, and the records of open breaks, and of decided
    ones of the same date, whose key comes again from the other side only (`carried`)."""
    duck.execute("CREATE TEMP VIEW waiting_member AS SELECT * FROM open_member UNION ALL SELECT * FROM decided_member")
    any_open = duck.execute("SELECT count(*) FROM waiting_member").fetchall()[0][0]
    for side, other in (("a", "b"), ("b", "a")):
        may_carry = "true" if any_open and side not in inputs.snapshots else "false"
        duck.execute(
            f"CREATE TEMP TABLE carried_{side} AS SELECT {_from_member(inputs.shape)} FROM waiting_member m "
            f"WHERE {may_carry} AND m.side = {literal(side)} AND m.key IN (SELECT key FROM fresh_{other}) "
            f"AND m.key NOT IN (SELECT key FROM fresh_{side})"
        )
    several = duck.execute("SELECT count(*) FROM overtaken").fetchall()[0][0]
    for side in ("a", "b"):
        aside = f"SELECT 1 FROM overtaken o WHERE o.side = {literal(side)} AND o.delivery = f.delivery AND o.n = f.n"
        kept = f" WHERE NOT EXISTS ({aside})" if several else ""
        duck.execute(
            f"CREATE TEMP VIEW standing_{side} AS SELECT * FROM fresh_{side} f{kept} UNION ALL SELECT * FROM carried_{side}"
        )


def add_stored(duck: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Create the views `a` and `b` that are compared: what stands, and beside a key that comes from one side only its
    stored version of table `stored` (`delivery` 0)."""
    any_stored = duck.execute("SELECT count(*) FROM stored").fetchall()[0][0]
    for side, other in (("a", "b"), ("b", "a")):
        if not any_stored:
            duck.execute(f"CREATE TEMP VIEW {side} AS SELECT * FROM standing_{side}")
            continue
        leaves = ", ".join(f"s.{leaf.column}, NULL::VARCHAR AS raw_{leaf.column}" for leaf in inputs.shape.leaves)
        duck.execute(
            f"CREATE TEMP VIEW {side} AS SELECT * FROM standing_{side} UNION ALL "
            f"SELECT 0::BIGINT AS n, s.bucket, s.key, {leaves}, NULL::VARCHAR AS flags, 0::BIGINT AS delivery, true AS carried "
            f"FROM stored s WHERE s.key IN (SELECT key FROM standing_{other}) AND s.key NOT IN (SELECT key FROM standing_{side})"
        )


def _from_member(shape: Shape) -> str:
    leaves = ", ".join(
        f"{typed_sql(leaf, leaf_text('m.record', leaf))} AS {leaf.column}, {leaf_text('m.raw', leaf)} AS raw_{leaf.column}"
        for leaf in shape.leaves
    )
    flags = "CASE WHEN json_array_length(m.flags) > 0 THEN array_to_string(CAST(m.flags AS VARCHAR[]), ',') END"
    return f"m.n, m.bucket, m.key, {leaves}, {flags} AS flags, m.delivery, true AS carried"


def leaf_text(document: str, leaf: Leaf) -> str:
    """SQL of a leaf's text in a JSON document, by the leaf's name."""
    path = literal('$."' + leaf.name + '"')
    return f"json_extract_string({document}, {path})"


def typed_sql(leaf: Leaf, text: str) -> str:
    """SQL of a leaf's typed value from its canonical text."""
    if leaf.kind == "datetime":
        return f"CAST(rtrim({text}, 'Z') AS TIMESTAMP)"
    return f"CAST({text} AS {leaf.sql_type})"
