"""What is stored: rows by key, with references opened."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np
from django.db import connection
from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape, key_part_sql
from ingestion.sql_text import quoted
from reconciliation.bulk import Column, columns, copy_nothing, copy_out
from reconciliation.engine.record_hash import canonical_postgres
from reconciliation.models import Retraction, Run
from reconciliation.store.tables import StoreTable, store_table
from reconciliation.store.wanted import key_parts, opened_keys, push_keys, typed_values, wanted_rows
from reconciliation.values import BadValue, canonical_value

ROW_TYPES = {
    "bucket": "UTINYINT",
    "_id": "BIGINT",
    "_run": "BIGINT",
    "_decision": "BIGINT",
    "_date": "DATE",
    "hash": "VARCHAR",
}
HISTORY = ("_version", "_valid_from", "_valid_to")
HALVES = ("v._valid_to IS NULL", "v._valid_to IS NOT NULL")
NOW = sql.SQL("{r}._valid_to IS NULL")
THEN = sql.SQL("{r}._valid_from <= v._valid_from AND ({r}._valid_to > v._valid_from) IS NOT FALSE")


def is_empty(table: StoreTable) -> bool:
    """Whether no row of the record type was ever stored."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(table.name(table.versions)))
        return bool(cursor.fetchone()[0])


def is_stored(record_type: RecordType) -> bool:
    """Whether any row of a record type was ever stored."""
    table = store_table(record_type)
    return table.has_versions and not is_empty(table)


def current_rows(duck: duckdb.DuckDBPyConnection, keys: str, shape: Shape, record_type: RecordType, into: str) -> int:
    """Create the DuckDB temp table `into` with the current stored rows of the keys in `keys`(key): key, bucket, every leaf,
    hash and the technical columns. Gives how many."""
    table = store_table(record_type)
    types = {"key": "VARCHAR"} | ROW_TYPES | {leaf.column: leaf.sql_type for leaf in shape.leaves}
    wanted = duck.execute(f"SELECT count(*) FROM {quoted(keys)}").fetchall()[0][0]
    if not wanted or not table.has_versions or is_empty(table):
        return copy_nothing(duck, into, types)
    push_keys(duck, opened_keys(keys, shape), shape)
    source = wanted_rows(table, sql.Identifier("wanted_key"))
    query = select_rows(table, source, sql.SQL("v._valid_to IS NULL"))
    with connection.cursor() as cursor:
        return copy_out(duck, query.as_string(cursor.connection), into, types)


def rows_of_run(duck: duckdb.DuckDBPyConnection, keys: str, run: Run, into: str) -> int:
    """Create the DuckDB temp table `into` with what the keys in `keys`(key, stored) have in the store by a run: the versions
    that the run, or a decision on its breaks, wrote; where `stored` and it wrote none, the one that it found. Key, every
    leaf, technical columns. Gives how many."""
    record_type = run.reconciliation.record_type
    table, shape = store_table(record_type), record_type.shape()
    moments = {name: "INTEGER" if name == "_version" else "TIMESTAMPTZ" for name in HISTORY}
    types = {"key": "VARCHAR"} | ROW_TYPES | moments | {leaf.column: leaf.sql_type for leaf in shape.leaves}
    if not table.has_versions or is_empty(table):
        return copy_nothing(duck, into, types)
    push_keys(duck, opened_keys(keys, shape), shape)
    ended = sql.Literal(run.finished_at)
    where = sql.SQL("v._run = {run} OR (v._valid_from <= {ended} AND (v._valid_to > {ended}) IS NOT FALSE)").format(
        run=sql.Literal(run.pk), ended=ended
    )
    query = select_rows(table, wanted_rows(table, sql.Identifier("wanted_key")), where, THEN, HISTORY)
    with connection.cursor() as cursor:
        copy_out(duck, query.as_string(cursor.connection), into, types)
    duck.execute(
        f"DELETE FROM {quoted(into)} WHERE _run <> {run.pk} AND (key NOT IN (SELECT key FROM {quoted(keys)} WHERE stored) "
        f"OR key IN (SELECT key FROM {quoted(into)} WHERE _run = {run.pk}))"
    )
    _leave_out_taken_back(duck, into, run)
    return int(duck.execute(f"SELECT count(*) FROM {quoted(into)}").fetchall()[0][0])


def _leave_out_taken_back(duck: duckdb.DuckDBPyConnection, into: str, run: Run) -> None:
    """A version that a decision of the run wrote is no more by it once the decision was undone, nor is what stands instead."""
    taken = list(Retraction.objects.of(run.reconciliation.record_type).values_list("key", "version", "restored"))
    gone = [(key, number) for key, version, restored in taken for number in (version, restored) if number is not None]
    given: dict[str, Column] = {"key": [key for key, _ in gone], "version": np.array([it for _, it in gone], np.int32)}
    with columns(duck, "given_taken", given):
        duck.execute(
            f"DELETE FROM {quoted(into)} WHERE _run = {run.pk} "
            "AND (key, _version) IN (SELECT CAST(key AS VARCHAR), version FROM given_taken)"
        )


def newer_rows(
    duck: duckdb.DuckDBPyConnection,
    record_type: RecordType,
    business_date: dt.date,
    bucket_range: tuple[int, int],
    into: str,
) -> int:
    """Create the DuckDB temp table `into` (key, hash) of the current rows in a range of buckets that are of a later business
    date. Gives how many; none on the usual day."""
    table, types = store_table(record_type), {"key": "VARCHAR", "hash": "VARCHAR"}
    if not table.has_versions or is_empty(table):
        return copy_nothing(duck, into, types)
    query = sql.SQL(
        "SELECT {}, v._hash FROM {} v {} WHERE v._valid_to IS NULL AND v._date > %s AND v._bucket BETWEEN %s AND %s"
    ).format(key_text(table), table.name(table.versions), joins(table, None))
    with connection.cursor() as cursor:
        text = query.as_string(cursor.connection)
    return copy_out(duck, text, into, types, [business_date, *bucket_range])


def select_rows(
    table: StoreTable,
    source: sql.Composable,
    where: sql.Composable,
    version: sql.SQL = NOW,
    more: Sequence[str] = (),
) -> sql.Composable:
    """SQL of stored rows with references opened: key, technical columns, `more` of them, then the leaves in shape order.

    `source` is a FROM clause with w (key) and v; `version` says which versions of references are meant.
    """
    opened = [*(sql.Identifier("v", name) for name in more), *(leaf_sql(table, leaf) for leaf in table.shape.leaves)]
    return sql.SQL(
        "SELECT w.key, v._bucket AS bucket, v._id, v._run, v._decision, v._date, v._hash AS hash, {opened} "
        "FROM {source} {joins} WHERE {where}"
    ).format(opened=sql.SQL(", ").join(opened), source=source, joins=joins(table, version), where=where)


def joins(table: StoreTable, version: sql.SQL | None = NOW) -> sql.Composable:
    """Joins of a row v with its identity (o), its references' identities (i0, i1 ...) and, where asked for, their versions."""
    parts = []
    if table.has_identity:
        parts.append(sql.SQL("LEFT JOIN {} o ON o._id = v._identity").format(table.name(table.base)))
    for number, column in enumerate(table.columns):
        if (target := column.reference) is None:
            continue
        identity, row = sql.Identifier(f"i{number}"), sql.Identifier(f"r{number}")
        parts.append(
            sql.SQL("LEFT JOIN {t} {i} ON {i}._id = {c}").format(
                t=target.name(target.base), i=identity, c=sql.Identifier("v", column.name)
            )
        )
        if target.has_attributes and version is not None:
            parts.append(
                sql.SQL("LEFT JOIN {t} {r} ON {r}._identity = {i}._id AND {when}").format(
                    t=target.name(target.versions), r=row, i=identity, when=version.format(r=row)
                )
            )
    return sql.SQL(" ").join(parts)


def leaf_sql(table: StoreTable, leaf: Leaf) -> sql.Composable:
    """PostgreSQL SQL of a leaf's value over the aliases of `joins`."""
    if leaf.reference is None:
        column = next(column for column in table.columns if column.name == leaf.name)
        return sql.Identifier("o" if table.has_identity and column.is_key else "v", leaf.name)
    number = next(n for n, column in enumerate(table.columns) if column.name == leaf.reference)
    attribute = leaf.path.split(".", 1)[1]
    return sql.Identifier(f"i{number}" if leaf.reference_key else f"r{number}", attribute)


def key_text(table: StoreTable) -> sql.Composable:
    """PostgreSQL SQL of a stored row's key text, over the aliases of `joins`."""
    texts = ((leaf, canonical_postgres(leaf, leaf_sql(table, leaf).as_string(None))) for leaf in table.shape.key_leaves)
    return sql.SQL(" || '|' || ").join(sql.SQL(key_part_sql(table.shape, leaf, text)) for leaf, text in texts)


def known_keys(duck: duckdb.DuckDBPyConnection, shape: Shape, field: str) -> str:
    """The DuckDB temp table (column `text`) of the identities that a reference field may name."""
    leaf = shape.leaf(field)
    table = store_table(RecordType.objects.get(code=shape.code))
    column = next(c for c in table.columns if c.name == leaf.reference)
    assert column.reference is not None
    into = f"known_{column.name}"
    key = column.reference.key_columns[0]
    assert key.leaf is not None
    with connection.cursor() as cursor:
        text = sql.SQL(canonical_postgres(key.leaf, sql.Identifier(key.name).as_string(None)))
        query = sql.SQL("SELECT {}, _id FROM {}").format(text, column.reference.name(column.reference.base))
        copy_out(duck, query.as_string(cursor.connection), into, {"text": "VARCHAR", "id": "BIGINT"})
    return quoted(into)


def stored_versions(record_type: RecordType, key: str) -> Sequence[dict[str, object]]:
    """All versions of a key, oldest first: leaf names to values, and the technical columns. A reference shows the
    attributes that it had when the version was stored. A text that is no key of this type has none."""
    table = store_table(record_type)
    texts = _key_values(table.shape.key_leaves, key_parts(key, len(table.shape.key_leaves)))
    if not table.has_versions or texts is None:
        return []
    source = wanted_rows(table, typed_values(table.shape.key_leaves))
    # Current and closed rows have an index each, and a query over both would use neither.
    parts = [select_rows(table, source, sql.SQL(where), THEN, HISTORY) for where in HALVES]
    query = sql.SQL("{} UNION ALL {} ORDER BY _version").format(*parts)
    leaves = [leaf.name for leaf in table.shape.leaves]
    names = ["_key", "_bucket", "_id", "_run", "_decision", "_date", "_hash", *HISTORY, *leaves]
    with connection.cursor() as cursor:
        cursor.execute(query, [key, *texts] * len(HALVES))
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _key_values(leaves: Sequence[Leaf], texts: Sequence[str]) -> list[str | None] | None:
    """The texts as values of a key's leaves; None where they are none."""
    if len(texts) != len(leaves):
        return None
    try:
        return [canonical_value(replace(leaf, choices=()), text) for leaf, text in zip(leaves, texts, strict=True)]
    except BadValue:
        return None
