"""A record type that others begin to refer to: its table becomes an identity table and a table of versions."""

from collections.abc import Iterator

from psycopg import sql

from reconciliation.engine.record_hash import record_hash_postgres
from reconciliation.store.tables import SCHEMA, StoreTable


def identity_hash(table: StoreTable, alias: str) -> str:
    """PostgreSQL SQL of an identity's `_hash` over the key columns of `alias`."""
    columns = [sql.Identifier(alias, column.name).as_string(None) for column in table.key_columns]
    return record_hash_postgres(table.shape.key_leaves, columns)


def rename_to_versions(table: StoreTable) -> Iterator[sql.Composable]:
    """Give the standing table the name of the versions, so that its old name is free for the identities."""
    old, new = table.base, table.versions
    for index in ("_current", "_closed"):
        yield sql.SQL("DROP INDEX {}").format(sql.Identifier(SCHEMA, f"{index}_{old}"))
    yield sql.SQL("ALTER TABLE {} RENAME TO {}").format(table.name(old), sql.Identifier(new))
    yield sql.SQL("ALTER SEQUENCE {} RENAME TO {}").format(
        sql.Identifier(SCHEMA, f"_ids_{old}"), sql.Identifier(f"_ids_{new}")
    )
    yield sql.SQL("ALTER TABLE {} RENAME CONSTRAINT {} TO {}").format(
        table.name(new), sql.Identifier(f"_pk_{old}"), sql.Identifier(f"_pk_{new}")
    )


def move_keys(table: StoreTable) -> Iterator[sql.Composable]:
    """Move the keys of all versions into the new identity table; hashes and seals stay as they are."""
    keys = [sql.Identifier(column.name) for column in table.key_columns]
    listed = sql.SQL(", ").join(keys)
    versions = table.name(table.versions)
    yield sql.SQL("INSERT INTO {} ({}, _hash) SELECT {}, {} FROM (SELECT DISTINCT {} FROM {}) k ORDER BY {}").format(
        table.name(table.base), listed, listed, sql.SQL(identity_hash(table, "k")), listed, versions, listed
    )
    yield sql.SQL("ALTER TABLE {} ADD COLUMN _identity bigint").format(versions)
    same = sql.SQL(" AND ").join(sql.SQL("v.{} = i.{}").format(key, key) for key in keys)
    yield sql.SQL("UPDATE {} v SET _identity = i._id FROM {} i WHERE {}").format(versions, table.name(table.base), same)
    yield sql.SQL("ALTER TABLE {} ALTER COLUMN _identity SET NOT NULL, {}").format(
        versions, sql.SQL(", ").join(sql.SQL("DROP COLUMN {}").format(key) for key in keys)
    )
