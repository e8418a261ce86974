"""What is stored now: current rows by key, with references opened."""

from collections.abc import Sequence

import duckdb
from django.db import connection
from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import quoted
from reconciliation.bulk import copy_in, copy_out
from reconciliation.store.tables import Column, StoreTable, store_table

ROW_TYPES = {"_id": "BIGINT", "_run": "BIGINT", "_decision": "BIGINT", "_date": "DATE", "hash": "VARCHAR"}


def is_empty(table: StoreTable) -> bool:
    """Whether no row of the record type was ever stored."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(table.name(table.versions)))
        return bool(cursor.fetchone()[0])


def current_rows(
    duck: duckdb.DuckDBPyConnection, keys: str, shape: Shape, record_type: RecordType, into: str
) -> int:
    """Create the DuckDB temp table `into` with the current stored rows of the keys in `keys`(key): key, bucket, every leaf,
    hash and the technical columns. Gives how many."""
    table = store_table(record_type)
    types = {"key": "VARCHAR"} | ROW_TYPES | {leaf.column: leaf.sql_type for leaf in shape.leaves}
    wanted = duck.execute(f"SELECT count(*) FROM {quoted(keys)}").fetchall()[0][0]
    if not wanted or not table.has_versions or is_empty(table):
        listed = ", ".join(f"NULL::{type_} AS {quoted(name)}" for name, type_ in types.items())
        duck.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(into)} AS SELECT {listed}, NULL::UTINYINT AS bucket WHERE false")
        return 0
    _push(duck, keys)
    query = select_rows(table, sql.SQL("JOIN wanted_key w ON w.key = {}").format(key_text(table)), sql.SQL("v._valid_to IS NULL"))
    with connection.cursor() as cursor:
        count = copy_out(duck, query.as_string(cursor.connection), into, types)
    duck.execute(f"ALTER TABLE {quoted(into)} ADD COLUMN bucket UTINYINT")
    duck.execute(f"UPDATE {quoted(into)} SET bucket = CAST(md5_number_lower(key) % 64 AS UTINYINT)")
    return count


def _push(duck: duckdb.DuckDBPyConnection, keys: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS wanted_key")
        cursor.execute('CREATE TEMP TABLE wanted_key (key text COLLATE "C")')
    copy_in(duck, f"SELECT DISTINCT key FROM {quoted(keys)}", sql.Identifier("wanted_key"), ["key"])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE wanted_key")


def select_rows(table: StoreTable, join: sql.Composable, where: sql.Composable) -> sql.Composable:
    """SQL of stored rows with references opened: key, technical columns, then the leaves in shape order."""
    leaves = sql.SQL(", ").join(_leaf_sql(table, leaf) for leaf in table.shape.leaves)
    return sql.SQL(
        "SELECT {key} AS key, v._id, v._run, v._decision, v._date, v._hash AS hash, {leaves} FROM {table} v {joins} {join} WHERE {where}"
    ).format(
        key=key_text(table), leaves=leaves, table=table.name(table.versions), joins=joins(table), join=join, where=where
    )


def joins(table: StoreTable) -> sql.Composable:
    """Joins of identities and current reference versions."""
    parts = []
    if table.has_identity:
        parts.append(sql.SQL("JOIN {} o ON o._id = v._identity").format(table.name(table.base)))
    for number, column in enumerate(table.columns):
        if (target := column.reference) is None:
            continue
        row, identity, version = _alias(table, column), f"i{number}", f"r{number}"
        parts.append(
            sql.SQL("LEFT JOIN {} {} ON {} = {}").format(
                target.name(target.base), sql.Identifier(identity), sql.Identifier(identity, "_id"), sql.Identifier(row, column.name)
            )
        )
        if target.has_versions:
            parts.append(
                sql.SQL("LEFT JOIN {} {} ON {} = {} AND {} IS NULL").format(
                    target.name(target.versions), sql.Identifier(version), sql.Identifier(version, "_identity"),
                    sql.Identifier(identity, "_id"), sql.Identifier(version, "_valid_to"),
                )
            )  # fmt: skip
    return sql.SQL(" ").join(parts)


def _alias(table: StoreTable, column: Column) -> str:
    return "o" if table.has_identity and column.is_key else "v"


def _leaf_sql(table: StoreTable, leaf: Leaf) -> sql.Composable:
    if leaf.reference is None:
        column = next(column for column in table.columns if column.name == leaf.name)
        return sql.Identifier(_alias(table, column), leaf.name)
    number = next(n for n, column in enumerate(table.columns) if column.name == leaf.reference)
    attribute = leaf.path.split(".", 1)[1]
    return sql.Identifier(f"i{number}" if leaf.reference_key else f"r{number}", attribute)


def key_text(table: StoreTable) -> sql.Composable:
    """PostgreSQL SQL of a stored row's key text."""
    parts = [_escaped(table, leaf) for leaf in table.shape.key_leaves]
    return sql.SQL(" || '|' || ").join(parts)


def _escaped(table: StoreTable, leaf: Leaf) -> sql.Composable:
    column = _leaf_sql(table, leaf)
    if leaf.kind == "datetime":
        return sql.SQL("to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')").format(column)
    if leaf.kind != "text":
        return sql.SQL("{}::text").format(column)
    return sql.SQL(r"replace(replace({}, '\', '\\'), '|', '\|')").format(column)


def known_keys(duck: duckdb.DuckDBPyConnection, shape: Shape, field: str) -> str:
    """The DuckDB temp table (column `text`) of the identities that a reference field may name."""
    leaf = shape.leaf(field)
    record_type = RecordType.objects.get(code=shape.code)
    column = next(c for c in store_table(record_type).columns if c.name == leaf.reference)
    assert column.reference is not None
    into = f"known_{column.name}"
    with connection.cursor() as cursor:
        query = sql.SQL("SELECT {}::text FROM {}").format(
            sql.Identifier(column.reference.key_columns[0].name), column.reference.name(column.reference.base)
        )
        copy_out(duck, query.as_string(cursor.connection), into, {"text": "VARCHAR"})
    return quoted(into)


def stored_versions(record_type: RecordType, key: str) -> Sequence[dict[str, object]]:
    """All versions of a key, oldest first: leaf names to values, and the technical columns."""
    table = store_table(record_type)
    query = sql.SQL("SELECT q.*, v2._valid_from, v2._valid_to FROM ({}) q JOIN {} v2 ON v2._id = q._id ORDER BY q._id").format(
        select_rows(table, sql.SQL(""), sql.SQL("{} = %s").format(key_text(table))), table.name(table.versions)
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [key])
        names = ["key", "_id", "_run", "_decision", "_date", "_hash", *(leaf.name for leaf in table.shape.leaves)]
        return [dict(zip([*names, "_valid_from", "_valid_to"], row, strict=True)) for row in cursor.fetchall()]
