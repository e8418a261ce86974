"""Identities: the keys of referred-to records, upserted before the rows that name them. They are only ever added."""

import duckdb
from django.db import connection, transaction
from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import quoted
from reconciliation.bulk import copy_in, copy_out
from reconciliation.engine.record_hash import record_hash_sql
from reconciliation.store.conflicts import refuse_unstorable
from reconciliation.store.tables import StoreTable, is_named, references, store_table

OWN = "identity_"


def upsert_identities(duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape, record_type: RecordType) -> None:
    """Make the identities that `relation` names, sorted, in short transactions of their own, and bring their ids into
    DuckDB as `identity_<field>` (and `identity_` for the record type's own, if others refer to it).

    Each has the key's leaf columns and `id`. A reference with an empty key refers to nothing. StoreRefusal when a record
    has a value that no table can hold.
    """
    refuse_unstorable(duck, relation, shape)
    table = store_table(record_type)
    for column in references(table):
        assert column.reference is not None
        _upsert(duck, relation, column.reference, column.key_leaves, f"identity_{column.name}")
    if table.has_identity:
        _upsert(duck, relation, table, shape.key_leaves, OWN)


def _upsert(
    duck: duckdb.DuckDBPyConnection, relation: str, target: StoreTable, leaves: tuple[Leaf, ...], into: str
) -> None:
    names = [column.name for column in target.key_columns]
    columns = ", ".join(leaf.column for leaf in leaves)
    keys = f"SELECT DISTINCT {columns} FROM {quoted(relation)} WHERE {is_named(leaves)}"
    hashed = record_hash_sql(target.shape.key_leaves, [leaf.column for leaf in leaves])
    with transaction.atomic():
        _make_named(target, names)
        copy_in(
            duck,
            f"SELECT *, {hashed} FROM ({keys}) ORDER BY {columns}",
            sql.Identifier("named_identity"),
            [*names, "_hash"],
        )
        with connection.cursor() as cursor:
            cursor.execute(_insertion(target, names))
            query = sql.SQL("SELECT t._id, {} FROM {} t JOIN named_identity n ON {}").format(
                _listed(names, "t"), target.name(target.base), _same(names)
            )
            copy_out(
                duck,
                query.as_string(cursor.connection),
                into,
                {"id": "BIGINT"} | {leaf.column: leaf.sql_type for leaf in leaves},
            )


def _make_named(target: StoreTable, names: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.named_identity")
        cursor.execute(
            sql.SQL("CREATE TEMP TABLE named_identity ON COMMIT DROP AS SELECT {}, _hash FROM {} WITH NO DATA").format(
                _listed(names), target.name(target.base)
            )
        )


def _insertion(target: StoreTable, names: list[str]) -> sql.Composable:
    return sql.SQL(
        "INSERT INTO {t} ({c}, _hash) SELECT {n}, n._hash FROM named_identity n "
        "WHERE NOT EXISTS (SELECT 1 FROM {t} t WHERE {same}) ORDER BY {n} ON CONFLICT DO NOTHING"
    ).format(t=target.name(target.base), c=_listed(names), n=_listed(names, "n"), same=_same(names))


def _listed(names: list[str], *alias: str) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(*alias, name) for name in names)


def _same(names: list[str]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier("t", name), sql.Identifier("n", name)) for name in names
    )


def identity_join(alias: str, into: str, leaves: tuple[Leaf, ...]) -> str:
    """DuckDB SQL that joins a relation's alias with an identity table brought in by `upsert_identities`."""
    same = " AND ".join(f"i_{into}.{leaf.column} = {alias}.{leaf.column}" for leaf in leaves)
    return f"LEFT JOIN {quoted(into)} i_{into} ON {same}"
