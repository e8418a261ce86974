"""Loading: only new or changed rows enter; a changed record closes its row and adds a version."""

import datetime as dt
from dataclasses import dataclass

import duckdb
from django.db import connection
from django.utils import timezone
from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import literal, quoted
from reconciliation.bulk import copy_in, copy_out
from reconciliation.engine.record_hash import own_leaves, record_hash_sql
from reconciliation.store.current import current_rows, is_empty, joins, key_text
from reconciliation.store.ddl import ensure_constraints, has_constraints
from reconciliation.store.identities import identity_join
from reconciliation.store.tables import Column, StoreTable, references, store_table

LOCK_SPACE = 0x570E
PULL_SHARE = 5  # a relation of at least a fifth of the table reads the table whole


@dataclass(frozen=True)
class Loaded:
    """Rows by what became of them."""

    new: int
    changed: int
    unchanged: int
    older: int


@dataclass(frozen=True)
class Load:
    """What every row of a load carries."""

    run_id: int
    business_date: dt.date
    decision_id: int | None
    now: dt.datetime


def load_rows(
    duck: duckdb.DuckDBPyConnection,
    relation: str,
    *,
    shape: Shape,
    record_type: RecordType,
    run_id: int,
    business_date: dt.date,
    mapped: frozenset[str],
    decision_id: int | None = None,
    bucket_range: tuple[int, int] = (0, 63),
) -> Loaded:
    """Store the records of `relation` (key, leaf columns, hash), in the caller's transaction, after
    `upsert_identities`. An older business date never replaces a newer row."""
    load = Load(run_id, business_date, decision_id, timezone.now())
    table = store_table(record_type)
    for column in references(table):
        _load_reference(duck, relation, shape, column, load, mapped)
    _lock(record_type, bucket_range[0])
    return _load(duck, relation, table, load)


def _lock(record_type: RecordType, first_bucket: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE + record_type.pk, first_bucket])


def _load_reference(
    duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape, column: Column, load: Load, mapped: frozenset[str]
) -> None:
    """New versions of the records that a reference field names, from the attributes that are mapped beside its key."""
    target = column.reference
    assert target is not None
    given = [leaf for leaf in shape.leaves if leaf.reference == column.name and not leaf.reference_key and leaf.name in mapped]
    if not given or not target.has_versions:
        return
    pairs = _attribute_pairs(target, shape, column)
    name = f"referred_{column.name}"
    listed = ", ".join(f"any_value({theirs.column}) AS {ours.column}" for ours, theirs in pairs if not theirs.reference_key)
    keys = [(ours, theirs) for ours, theirs in pairs if theirs.reference_key]
    key_list = ", ".join(f"{theirs.column} AS {ours.column}" for ours, theirs in keys)
    group = ", ".join(theirs.column for _, theirs in keys)
    complete = " AND ".join(f"{theirs.column} IS NOT NULL" for _, theirs in keys)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS SELECT {key_list}, {listed} FROM {relation} "
        f"WHERE {complete} GROUP BY {group}"
    )
    _complete_reference(duck, name, target, {ours.column for ours, theirs in pairs if theirs.name in mapped})
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE identity_ AS SELECT id, "
        f"{', '.join(f'{theirs.column} AS {ours.column}' for ours, theirs in keys)} FROM {quoted('identity_' + column.name)}"
    )
    _lock(target.record_type, 0)
    _load(duck, name, target, load)


def _attribute_pairs(target: StoreTable, shape: Shape, column: Column) -> list[tuple[Leaf, Leaf]]:
    """The referred-to type's own leaves beside the leaves of the reference."""
    theirs = {leaf.path: leaf for leaf in shape.leaves if leaf.reference == column.name}
    return [(leaf, theirs[f"{column.name}.{leaf.name}"]) for leaf in target.shape.leaves if f"{column.name}.{leaf.name}" in theirs]


def _complete_reference(duck: duckdb.DuckDBPyConnection, name: str, target: StoreTable, given: set[str]) -> None:
    """Add key and hash; an attribute that is not mapped keeps its stored value."""
    keys = " || '|' || ".join(_escaped(leaf) for leaf in target.shape.key_leaves)
    duck.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN key VARCHAR")
    duck.execute(f"UPDATE {quoted(name)} SET key = {keys}")
    kept = [leaf for leaf in target.shape.leaves if leaf.column not in given]
    if kept and current_rows(duck, name, target.shape, target.record_type, "kept_reference"):
        for leaf in kept:
            duck.execute(
                f"UPDATE {quoted(name)} SET {leaf.column} = k.{leaf.column} FROM kept_reference k WHERE k.key = {quoted(name)}.key"
            )
    own = own_leaves(target.shape)
    duck.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN hash VARCHAR")
    duck.execute(f"UPDATE {quoted(name)} SET hash = {record_hash_sql(own, [leaf.column for leaf in own])}")


def _escaped(leaf: Leaf) -> str:
    text = f"CAST({leaf.column} AS VARCHAR)"
    return f"replace(replace({text}, '\\', '\\\\'), '|', '\\|')" if leaf.kind == "text" else text


def _load(duck: duckdb.DuckDBPyConnection, relation: str, table: StoreTable, load: Load) -> Loaded:
    count = duck.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0]
    if not has_constraints(table):
        _lock(table.record_type, 1 << 20)  # the first load is one at a time: it adds the index and the foreign keys
    if not count:
        return Loaded(0, 0, 0, 0)
    if is_empty(table):
        _insert(duck, f"SELECT * FROM {quoted(relation)}", table, load)
        ensure_constraints(table)
        return Loaded(count, 0, 0, 0)
    _pull_existing(duck, relation, table, count)
    date = f"DATE {literal(load.business_date.isoformat())}"
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE fate AS SELECT r.key, e.id, CASE WHEN e.id IS NULL THEN 'new' "
        f"WHEN e.hash = r.hash THEN 'unchanged' WHEN e.date > {date} THEN 'older' ELSE 'changed' END AS fate "
        f"FROM {quoted(relation)} r LEFT JOIN existing e ON e.key = r.key"
    )
    fates = dict(duck.execute("SELECT fate, count(*) FROM fate GROUP BY fate").fetchall())
    _close(duck, table, load)
    entering = f"SELECT r.* FROM {quoted(relation)} r JOIN fate f ON f.key = r.key WHERE f.fate IN ('new', 'changed')"
    if fates.get("new") or fates.get("changed"):
        _insert(duck, entering, table, load)
    return Loaded(*(fates.get(name, 0) for name in ("new", "changed", "unchanged", "older")))


def _pull_existing(duck: duckdb.DuckDBPyConnection, relation: str, table: StoreTable, count: int) -> None:
    """The current rows of the relation's keys as `existing`(key, id, hash, date)."""
    types = {"key": "VARCHAR", "id": "BIGINT", "hash": "VARCHAR", "date": "DATE"}
    query = sql.SQL("SELECT {}, v._id, v._hash, v._date FROM {} v {} {} WHERE v._valid_to IS NULL")
    narrow = sql.SQL("")
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = to_regclass(%s)", [f'"store"."{table.versions}"'])
        if count * PULL_SHARE < cursor.fetchone()[0]:
            cursor.execute("DROP TABLE IF EXISTS loading_key")
            cursor.execute('CREATE TEMP TABLE loading_key (key text COLLATE "C")')
            copy_in(duck, f"SELECT key FROM {quoted(relation)}", sql.Identifier("loading_key"), ["key"])
            cursor.execute("ANALYZE loading_key")
            narrow = sql.SQL("JOIN loading_key w ON w.key = {}").format(key_text(table))
        text = query.format(key_text(table), table.name(table.versions), joins(table), narrow).as_string(cursor.connection)
    copy_out(duck, text, "existing", types)


def _close(duck: duckdb.DuckDBPyConnection, table: StoreTable, load: Load) -> None:
    ids = [row[0] for row in duck.execute("SELECT id FROM fate WHERE fate = 'changed' ORDER BY id").fetchall()]
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("UPDATE {} SET _valid_to = %s WHERE _id = ANY(%s) AND _valid_to IS NULL").format(table.name(table.versions)),
            [load.now, ids],
        )


def _insert(duck: duckdb.DuckDBPyConnection, query: str, table: StoreTable, load: Load) -> None:
    """COPY rows in key order, ids of references joined."""
    columns, selected, joined = [], [], []
    if table.has_identity:
        columns.append("_identity")
        selected.append("i_identity_.id")
        joined.append(identity_join("r", "identity_", table.shape.key_leaves))
    for column in table.version_columns:
        columns.append(column.name)
        if column.leaf is not None:
            selected.append(f"r.{column.leaf.column}")
            continue
        into = f"identity_{column.name}"
        selected.append(f"i_{into}.id")
        joined.append(identity_join("r", into, column.key_leaves))
    decision = "NULL" if load.decision_id is None else str(load.decision_id)
    date, now = literal(load.business_date.isoformat()), literal(load.now.isoformat())
    technical = f"{load.run_id}, {decision}, {date}, {now}, NULL, r.hash"
    rows = f"SELECT {', '.join(selected)}, {technical} FROM ({query}) r {' '.join(joined)} ORDER BY r.key"
    names = [*columns, "_run", "_decision", "_date", "_valid_from", "_valid_to", "_hash"]
    copy_in(duck, rows, table.name(table.versions), names)
