"""Identities: the keys of referred-to records, upserted before the rows that name them. They are only ever added."""

from collections.abc import Sequence

import duckdb
from django.db import connection, transaction
from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import quoted
from reconciliation.bulk import copy_in, copy_out
from reconciliation.engine.record_hash import record_hash_sql
from reconciliation.store.conflicts import refuse_unstorable
from reconciliation.store.tables import StoreTable, is_named, references, store_table, targets


def upsert_identities(duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape, record_type: RecordType) -> None:
    """Make the identities that `relation` names, and bring their ids into DuckDB, a table a type (`identities_of`): `id` and the
    columns of the type's key.

    Whichever fields name them, they are made type by type in the order of the types' ids, those of a type sorted, in short
    transactions of their own where the caller has none: so two who make the same ones never wait for each other. A reference with
    an empty key refers to nothing. StoreRefusal when a record has a value that no table can hold.
    """
    refuse_unstorable(duck, relation, shape)
    table = store_table(record_type)
    for target in targets(table):
        _upsert(duck, relation, target, [it.key_leaves for it in references(table) if it.reference == target])
    if table.has_identity:
        _upsert(duck, relation, table, [shape.key_leaves])


def identities_of(table: StoreTable) -> str:
    """The DuckDB table of a type's identities."""
    return f"identities_{table.record_type.pk}"


def _upsert(
    duck: duckdb.DuckDBPyConnection, relation: str, target: StoreTable, naming: Sequence[tuple[Leaf, ...]]
) -> None:
    """`naming`: the leaves that name one of them, in the order of the target's key; several where several fields do."""
    names, own = [column.name for column in target.key_columns], target.shape.key_leaves
    columns = ", ".join(leaf.column for leaf in own)
    keys = " UNION ALL ".join(_named(relation, leaves, own) for leaves in naming)
    with transaction.atomic():
        _make_named(target, names)
        copy_in(
            duck,
            f"SELECT *, {record_hash_sql(own, [leaf.column for leaf in own])} FROM (SELECT DISTINCT {columns} FROM ({keys})) "
            f"ORDER BY {columns}",
            sql.Identifier("named_identity"),
            [*names, "_hash"],
        )
        with connection.cursor() as cursor:
            cursor.execute(_insertion(target, names))
            query = sql.SQL("SELECT t._id, {} FROM {} t JOIN named_identity n ON {}").format(
                _listed(names, "t"), target.name(target.base), _same(names)
            )
            types = {"id": "BIGINT"} | {leaf.column: leaf.sql_type for leaf in own}
            copy_out(duck, query.as_string(cursor.connection), identities_of(target), types)


def _named(relation: str, leaves: tuple[Leaf, ...], own: tuple[Leaf, ...]) -> str:
    renamed = ", ".join(f"{it.column} AS {its.column}" for it, its in zip(leaves, own, strict=True))
    return f"SELECT {renamed} FROM {quoted(relation)} WHERE {is_named(leaves)}"


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


def identity_join(target: StoreTable, leaves: tuple[Leaf, ...], name: str) -> str:
    """DuckDB SQL that joins the relation `r` with a type's identities, as `name`; `leaves` name one of them."""
    pairs = zip(leaves, target.shape.key_leaves, strict=True)
    same = " AND ".join(f"{name}.{its.column} = r.{it.column}" for it, its in pairs)
    return f"LEFT JOIN {identities_of(target)} {name} ON {same}"
