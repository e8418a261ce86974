"""Identities: the keys of referred-to records, upserted before the rows that name them."""

import duckdb
from django.db import connection, transaction
from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import quoted
from reconciliation.bulk import copy_in, copy_out
from reconciliation.store.tables import StoreTable, references, store_table


def upsert_identities(
    duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape, record_type: RecordType
) -> None:
    """Make the identities that `relation` names, sorted, in short transactions of their own, and bring their ids into
    DuckDB as `identity_<field>` (and `identity_` for the record type's own, if others refer to it)."""
    table = store_table(record_type)
    for column in references(table):
        assert column.reference is not None
        _upsert(duck, relation, column.reference, column.key_leaves, f"identity_{column.name}")
    if table.has_identity:
        _upsert(duck, relation, table, shape.key_leaves, "identity_")


def _upsert(
    duck: duckdb.DuckDBPyConnection, relation: str, target: StoreTable, leaves: tuple[Leaf, ...], into: str
) -> None:
    names = [column.name for column in target.key_columns]
    columns = ", ".join(leaf.column for leaf in leaves)
    complete = " AND ".join(f"{leaf.column} IS NOT NULL" for leaf in leaves)
    keys = f"SELECT DISTINCT {columns} FROM {relation} WHERE {complete} ORDER BY {columns}"
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS named_identity")
        cursor.execute(
            sql.SQL("CREATE TEMP TABLE named_identity AS SELECT {} FROM {} WITH NO DATA").format(listed, target.name(target.base))
        )
        copy_in(duck, keys, sql.Identifier("named_identity"), names)
        cursor.execute(
            sql.SQL("INSERT INTO {t} ({c}) SELECT n.* FROM named_identity n WHERE NOT EXISTS (SELECT 1 FROM {t} t WHERE {same}) "
                    "ORDER BY {c} ON CONFLICT DO NOTHING").format(
                t=target.name(target.base), c=listed, same=_same(names)
            )
        )  # fmt: skip
        query = sql.SQL("SELECT t._id, {} FROM {} t JOIN named_identity n ON {}").format(
            sql.SQL(", ").join(sql.Identifier("t", name) for name in names), target.name(target.base), _same(names)
        )
        types = {"id": "BIGINT"} | {leaf.column: leaf.sql_type for leaf in leaves}
        copy_out(duck, query.as_string(cursor.connection), into, types)


def _same(names: list[str]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier("t", name), sql.Identifier("n", name)) for name in names
    )


def identity_join(alias: str, into: str, leaves: tuple[Leaf, ...]) -> str:
    """DuckDB SQL that joins a relation's alias with an identity table brought in by `upsert_identities`."""
    same = " AND ".join(f"i_{into}.{leaf.column} = {alias}.{leaf.column}" for leaf in leaves)
    return f"LEFT JOIN {quoted(into)} i_{into} ON {same}"
