"""Asking the store for keys: the wanted keys go over as typed columns, so that indexes find their rows."""

import re
from collections.abc import Sequence

import duckdb
from django.db import connection
from psycopg import sql

from ingestion.shape import Leaf, Shape
from ingestion.sql_text import quoted
from reconciliation.bulk import copy_in
from reconciliation.inputs import typed_sql
from reconciliation.store.tables import Column, StoreTable, postgres_type

_PARTS = r"(?s)((?:\\.|[^\\|])*)\|"
_ESCAPED = r"(?s)\\(.)"
_OPENED = f"list_transform(regexp_extract_all(key || '|', '{_PARTS}', 1), lambda part: regexp_replace(part, '{_ESCAPED}', '\\1', 'g'))"


def key_parts(key: str, leaves: int) -> list[str]:
    """The canonical texts of a key's leaves, from its text; others than so many when it is no such key."""
    if leaves == 1:
        return [key]
    return [re.sub(_ESCAPED, r"\1", part) for part in re.findall(_PARTS, key + "|")]


def opened_keys(keys: str, shape: Shape) -> str:
    """DuckDB SQL of a relation's distinct keys with the key's leaves, typed."""
    parts = "[key]" if len(shape.key_leaves) == 1 else _OPENED
    leaves = ", ".join(
        f"{typed_sql(leaf, f'part[{number}]')} AS {leaf.column}"
        for number, leaf in enumerate(shape.key_leaves, start=1)
    )
    return f"SELECT key, {leaves} FROM (SELECT key, {parts} AS part FROM (SELECT DISTINCT key FROM {quoted(keys)}))"


def push_keys(duck: duckdb.DuckDBPyConnection, query: str, shape: Shape) -> None:
    """Bring the rows of a DuckDB query (key, then the key's leaves) into the PostgreSQL temp table `wanted_key`."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} " + postgres_type(leaf)).format(sql.Identifier(leaf.column)) for leaf in shape.key_leaves
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.wanted_key")
        cursor.execute(sql.SQL('CREATE TEMP TABLE wanted_key (key text COLLATE "C", {})').format(columns))
        copy_in(duck, query, sql.Identifier("wanted_key"), ["key", *(leaf.column for leaf in shape.key_leaves)])
        cursor.execute("ANALYZE wanted_key")


def wanted_rows(table: StoreTable, wanted: sql.Composable) -> sql.Composable:
    """FROM clause: `wanted` as w (key, the key's leaves) with the rows of its keys as v."""
    if table.has_identity:
        own = [
            _same(leaf.column, "wo", column.name)
            for leaf, column in zip(table.shape.key_leaves, table.key_columns, strict=True)
        ]
        return sql.SQL("{} w JOIN {} wo ON {} JOIN {} v ON v._identity = wo._id").format(
            wanted, table.name(table.base), _all(own), table.name(table.versions)
        )
    joins: list[sql.Composable] = [sql.SQL("{} w").format(wanted)]
    same: list[sql.Composable] = []
    for number, column in enumerate(table.key_columns):
        if column.leaf is not None:
            same.append(_same(column.leaf.column, "v", column.name))
        else:
            alias = f"wi{number}"
            joins.append(_identity_join(column, alias))
            same.append(sql.SQL("{} = {}").format(sql.Identifier(alias, "_id"), sql.Identifier("v", column.name)))
    joins.append(sql.SQL("JOIN {} v ON {}").format(table.name(table.versions), _all(same)))
    return sql.SQL(" ").join(joins)


def _identity_join(column: Column, alias: str) -> sql.Composable:
    assert column.reference is not None
    pairs = zip(column.key_leaves, column.reference.key_columns, strict=True)
    same = [_same(leaf.column, alias, theirs.name) for leaf, theirs in pairs]
    target = column.reference.name(column.reference.base)
    return sql.SQL("JOIN {} {} ON {}").format(target, sql.Identifier(alias), _all(same))


def _same(wanted: str, alias: str, name: str) -> sql.Composable:
    return sql.SQL("{} = {}").format(sql.Identifier("w", wanted), sql.Identifier(alias, name))


def _all(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" AND ").join(conditions)


def typed_values(leaves: Sequence[Leaf]) -> sql.Composable:
    """One row of parameters as the relation w: the key's text, then the key's leaves."""
    values = sql.SQL(", ").join(sql.SQL("%s::" + postgres_type(leaf)) for leaf in leaves)
    names = sql.SQL(", ").join(sql.Identifier(leaf.column) for leaf in leaves)
    return sql.SQL("(SELECT * FROM (VALUES (%s::text, {})) AS given (key, {}))").format(values, names)
