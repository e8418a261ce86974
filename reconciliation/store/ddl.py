"""The one door for DDL of the store: idempotent, locked, widening only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import connection, transaction
from psycopg import sql

from ingestion.models import RecordType
from reconciliation.store.splitting import move_keys, rename_to_versions
from reconciliation.store.tables import SCHEMA, Column, StoreRefusal, StoreTable, references, store_table, targets

LOCK = 0x71E0
TECHNICAL = (
    ("_version", "integer NOT NULL"),
    ("_bucket", "smallint NOT NULL"),
    ("_run", "bigint NOT NULL"),
    ("_decision", "bigint"),
    ("_date", "date NOT NULL"),
    ("_valid_from", "timestamptz NOT NULL"),
    ("_valid_to", "timestamptz"),
    ("_hash", 'text COLLATE "C" NOT NULL'),
    ("_seal", "bigint NOT NULL"),
)
Statements = Iterator[sql.Composable]


@dataclass(frozen=True)
class Standing:
    """A table as it stands. `targets` maps the foreign keys to the tables that they point to."""

    columns: frozenset[str] = frozenset()
    comment: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)


NOTHING = Standing()


def ensure_tables(record_type: RecordType) -> StoreTable:
    """Make or widen the tables of a record type and of those that it refers to. Gives its layout.

    One query when nothing is missing. StoreRefusal when a table's name belongs to another record type.
    """
    table = store_table(record_type)
    needed = [*targets(table), table]
    if any(_missing(needed)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10s'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOCK])
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
            while statements := list(_missing(needed)):
                for statement in statements:
                    cursor.execute(statement)
    return table


def _missing(needed: Iterable[StoreTable]) -> Statements:
    """The statements that are still to be executed."""
    standing = standing_tables()
    for table in needed:
        splits = table.has_identity and "_run" in standing.get(table.base, NOTHING).columns
        if table.has_identity:
            yield from _missing_identity(table, standing)
        if table.has_versions and not splits:
            yield from _missing_versions(table, standing)


def standing_tables() -> dict[str, Standing]:
    """The store's tables by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(a.attname::text), coalesce(obj_description(c.oid, 'pg_class'), ''), "
            "(SELECT coalesce(json_object_agg(k.conname, t.relname), '{}') FROM pg_constraint k "
            "JOIN pg_class t ON t.oid = k.confrelid WHERE k.conrelid = c.oid AND k.contype = 'f') FROM pg_class c "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
            "WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r' GROUP BY c.oid, c.relname",
            [SCHEMA],
        )
        return {name: Standing(frozenset(columns), comment, keys) for name, columns, comment, keys in cursor}


def _missing_identity(table: StoreTable, standing: Mapping[str, Standing]) -> Statements:
    if table.base not in standing:
        yield from _create_identity(table)
        return
    _refuse_other_owner(table, table.base, standing[table.base].comment)
    if "_run" in standing[table.base].columns:  # it stood alone until others began to refer to it
        yield from rename_to_versions(table)
        yield from _create_identity(table)
        yield from move_keys(table)
        yield from indexes(table)
        yield from foreign_keys(table)


def _create_identity(table: StoreTable) -> Statements:
    yield sql.SQL(
        "CREATE TABLE {} ({}, {}, _hash text NOT NULL, CONSTRAINT {} PRIMARY KEY (_id), CONSTRAINT {} UNIQUE ({}))"
    ).format(
        table.name(table.base),
        _id(table.base),
        sql.SQL(", ").join(map(_definition, table.key_columns)),
        sql.Identifier(f"_pk_{table.base}"),
        sql.Identifier(f"_key_{table.base}"),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in table.key_columns),
    )
    yield _comment(table, table.base)


def _missing_versions(table: StoreTable, standing: Mapping[str, Standing]) -> Statements:
    if table.versions not in standing:
        yield _create_versions(table)
        yield _comment(table, table.versions)
        yield from indexes(table)
        yield from foreign_keys(table)
        return
    found = standing[table.versions]
    _refuse_other_owner(table, table.versions, found.comment)
    _refuse_other_targets(table, found)
    for column in table.version_columns:
        if column.name not in found.columns:
            yield sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(table.name(table.versions), _definition(column))
            if column.reference is not None:
                yield _foreign_key(table, column.name, column.reference)


def _refuse_other_owner(table: StoreTable, name: str, comment: str) -> None:
    if not comment.startswith(table.owner + ","):
        raise StoreRefusal(
            f"The table {SCHEMA}.{name} belongs to another record type ({comment.split(', since')[0]}). "
            f"Give record type {table.record_type.code!r} another code."
        )


def _refuse_other_targets(table: StoreTable, found: Standing) -> None:
    for column in references(table):
        assert column.reference is not None
        if found.targets.get(f"_fk_{column.name}", column.reference.base) != column.reference.base:
            raise StoreRefusal(
                f"Record type {column.reference.record_type.code!r} has a new shape, and {table.record_type.code!r} refers to "
                f"the old one by {column.name!r}. Start a new generation of {table.record_type.code!r}, too."
            )


def _comment(table: StoreTable, name: str) -> sql.Composable:
    # `since` tells identities that are older than their version table from those that lost their version.
    return sql.SQL("DO $$ BEGIN EXECUTE format('COMMENT ON TABLE {} IS %L', {} || clock_timestamp()); END $$").format(
        table.name(name), sql.Literal(f"{table.owner}, since ")
    )


def _create_versions(table: StoreTable) -> sql.Composable:
    own = [sql.SQL("_identity bigint NOT NULL")] if table.has_identity else []
    technical = [sql.SQL(f"{name} {type_}") for name, type_ in TECHNICAL]
    columns = [_id(table.versions), *own, *map(_definition, table.version_columns), *technical]
    return sql.SQL(
        "CREATE TABLE {} ({}, CONSTRAINT {} PRIMARY KEY (_id), CONSTRAINT _ends_after_it_begins CHECK (_valid_to > _valid_from))"
    ).format(table.name(table.versions), sql.SQL(", ").join(columns), sql.Identifier(f"_pk_{table.versions}"))


def _id(name: str) -> sql.Composable:
    # Named here, since the name that the server would choose for the sequence may be the code of a record type.
    return sql.SQL("_id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {})").format(
        sql.Identifier(SCHEMA, f"_ids_{name}")
    )


def _definition(column: Column) -> sql.Composable:
    null = " NOT NULL" if column.is_key else ""
    return sql.SQL("{} " + column.sql_type + null).format(sql.Identifier(column.name))


def indexes(table: StoreTable) -> list[sql.Composable]:
    """One current row per key; each closed version once."""
    name, keys = table.name(table.versions), sql.SQL(", ").join(map(sql.Identifier, table.row_key))
    return [
        sql.SQL("CREATE UNIQUE INDEX {} ON {} ({}) WHERE _valid_to IS NULL").format(
            sql.Identifier(f"_current_{table.versions}"), name, keys
        ),
        sql.SQL("CREATE UNIQUE INDEX {} ON {} ({}, _version) WHERE _valid_to IS NOT NULL").format(
            sql.Identifier(f"_closed_{table.versions}"), name, keys
        ),
    ]


def foreign_keys(table: StoreTable) -> list[sql.Composable]:
    """From the versioned table to its own identity and to those of its references."""
    own = [_foreign_key(table, "_identity", table)] if table.has_identity else []
    return own + [_foreign_key(table, c.name, c.reference) for c in references(table) if c.reference is not None]


def _foreign_key(table: StoreTable, column: str, target: StoreTable) -> sql.Composable:
    return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} (_id)").format(
        table.name(table.versions), sql.Identifier(f"_fk_{column}"), sql.Identifier(column), target.name(target.base)
    )


def without_foreign_keys(table: StoreTable) -> list[sql.Composable]:
    """Drops them, for a bulk load that adds them again in the same transaction."""
    own = ["_identity"] if table.has_identity else []
    return [
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table.name(table.versions), sql.Identifier(f"_fk_{name}"))
        for name in [*own, *(column.name for column in references(table))]
    ]


def without_indexes(table: StoreTable) -> list[sql.Composable]:
    """Drops them, for a bulk load that adds them again in the same transaction."""
    names = (f"_current_{table.versions}", f"_closed_{table.versions}")
    return [sql.SQL("DROP INDEX {}").format(sql.Identifier(SCHEMA, name)) for name in names]


def complaints(table: StoreTable) -> Iterator[str]:
    """A sentence for each table, column, index or constraint of a record type that is not there."""
    standing, named = standing_tables(), _named_parts()
    for name in ([table.base] if table.has_identity else []) + ([table.versions] if table.has_versions else []):
        if name not in standing:
            yield f"The table {SCHEMA}.{name} is gone. Restore it from a backup."
            continue
        wanted = [f"_pk_{name}"]
        wanted += [f"_key_{name}"] if name == table.base and table.has_identity else _parts_of_versions(table)
        for part in wanted:
            if (name, part) not in named:
                yield f"The table {SCHEMA}.{name} has lost its {part}. Restore it from a backup."
    if table.has_versions and table.versions in standing:
        for column in table.version_columns:
            if column.name not in standing[table.versions].columns:
                yield f"The table {SCHEMA}.{table.versions} has no column {column.name}. Apply the definition again."


def _parts_of_versions(table: StoreTable) -> list[str]:
    own = ["_fk__identity"] if table.has_identity else []
    keys = [f"_fk_{column.name}" for column in references(table)]
    return [f"_current_{table.versions}", f"_closed_{table.versions}", "_ends_after_it_begins", *own, *keys]


def _named_parts() -> set[tuple[str, str]]:
    """The valid indexes and constraints of the store: (table, name)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.relname, i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
            "JOIN pg_class t ON t.oid = x.indrelid WHERE t.relnamespace = to_regnamespace(%s) AND x.indisvalid "
            "UNION SELECT t.relname, c.conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
            "WHERE t.relnamespace = to_regnamespace(%s) AND c.convalidated",
            [SCHEMA, SCHEMA],
        )
        return set(cursor.fetchall())
