"""Storing one record, as a decision does: what `store_relation` does to many, in a few statements and without an engine."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from ingestion.buckets import bucket_of
from ingestion.models import RecordType
from ingestion.shape import Leaf, key_part_sql
from reconciliation.engine.record_hash import canonical_postgres, own_leaves, record_hash_postgres
from reconciliation.store.fates import ENTERING
from reconciliation.store.load import lock_whole
from reconciliation.store.seals import MOMENT, seal_postgres
from reconciliation.store.tables import (
    Column,
    StoreRefusal,
    StoreTable,
    postgres_type,
    references,
    store_table,
    targets,
)

Record = Mapping[str, str | None]
Identities = Mapping[str, int | None]  # of each reference, by field; of the record itself under ""
OWN = ""
TECHNICAL = ("_version", "_bucket", "_run", "_decision", "_date", "_valid_from", "_hash")


@dataclass(frozen=True)
class Storing:
    """On whose word a record is stored, and of which business date."""

    run_id: int
    business_date: dt.date
    decision_id: int


@dataclass(frozen=True)
class Row:
    """A row that may enter a table: SQL of its key's text, its hash and its columns, in which v is the current row of its key, and
    SQL of which row that is."""

    table: StoreTable
    key: str
    hash: str
    values: Mapping[str, str]
    same: str
    bucket: int | None = None


@dataclass(frozen=True)
class Judged:
    """A row, what becomes of it, its bucket, the current row that it replaces, and its version."""

    row: Row
    fate: str
    bucket: int
    current: int | None
    version: int


def store_record(
    *, record_type: RecordType, key: str, bucket: int, record: Record, mapped: frozenset[str], storing: Storing
) -> str:
    """Store a record (canonical texts by leaf name) that the gate let through, in the caller's transaction and under `lock_places`.
    Gives its fate: `new`, `changed`, `unchanged`, or `older` than what is stored, and then nothing is. `mapped` as for `load_rows`."""
    table = store_table(record_type)
    if not table.has_versions:
        raise StoreRefusal(
            f"No source delivers {record_type.code!r}; its records are stored through their references only."
        )
    values = {leaf.column: _typed(leaf, record.get(leaf.name)) for leaf in table.shape.leaves}
    identities = _identities(table, values)
    if table.has_identity:
        lock_whole(table)
    main = _judge(_own_row(table, values, identities, key, bucket), storing)
    if main.fate == "older":
        return main.fate
    said = [it for target in targets(table) for it in _said(table, target, values, identities, mapped, storing)]
    entering = [it for it in (*said, main) if it.fate in ENTERING]
    if entering:
        moment = _moment(entering)
        for each in entering:
            _enter(each, storing, moment)
    return main.fate


def _typed(leaf: Leaf, text: str | None) -> str:
    """SQL of a leaf's typed value."""
    type_ = postgres_type(leaf)
    if text is None:
        return f"NULL::{type_}"
    return _literal(text.rstrip("Z") if leaf.kind == "datetime" else text) + f"::{type_}"


def _literal(text: str) -> str:
    return sql.Literal(text).as_string(connection.connection)


def _ask(query: sql.Composable) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() or ()


def _identities(table: StoreTable, values: Mapping[str, str]) -> Identities:
    """The identities that the record names; those that are new are made."""
    named = [(column.name, column.reference, column.key_leaves) for column in references(table)]
    if table.has_identity:
        named.append((OWN, table, table.shape.key_leaves))
    asked = {
        name: (target, dict(zip(target.key_columns, (values[leaf.column] for leaf in leaves), strict=True)))
        for name, target, leaves in named
        if target is not None and not any(values[leaf.column].startswith("NULL") for leaf in leaves)
    }
    if not asked:
        return {}
    query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(_identity_of(*it) for it in asked.values()))
    found = _ask(query)
    if None in found:
        _make_identities([it for it, pk in zip(asked.values(), found, strict=True) if pk is None])
        found = _ask(query)
    return dict(zip(asked, found, strict=True))


Key = Mapping[Column, str]


def _make_identities(new: Sequence[tuple[StoreTable, Key]]) -> None:
    """Make them as a run does: type by type in the order of the types' ids, those of a type sorted, so that two who make the same
    ones never wait for each other. What another transaction made first, this one has waited for."""
    types = {target.record_type.pk: target for target, _ in new}
    for pk in sorted(types):
        _make_identities_of(types[pk], [key for target, key in new if target.record_type.pk == pk])


def _make_identities_of(target: StoreTable, keys: Sequence[Key]) -> None:
    names = [sql.Identifier(column.name) for column in target.key_columns]
    sorted_by = (
        sql.SQL(f"{{}}::{column.sql_type}").format(name) for name, column in zip(names, target.key_columns, strict=True)
    )
    rows = (
        sql.SQL("({}, {})").format(
            sql.SQL(", ").join(map(sql.SQL, key.values())),
            sql.SQL(record_hash_postgres(target.shape.key_leaves, list(key.values()))),
        )
        for key in keys
    )
    statement = sql.SQL(
        "INSERT INTO {table} ({names}, _hash) SELECT * FROM (VALUES {rows}) n ({names}, _hash) ORDER BY {sorted_by} "
        "ON CONFLICT DO NOTHING"
    ).format(
        table=target.name(target.base),
        names=sql.SQL(", ").join(names),
        rows=sql.SQL(", ").join(rows),
        sorted_by=sql.SQL(", ").join(sorted_by),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _identity_of(target: StoreTable, key: Key) -> sql.Composable:
    pairs = (sql.SQL("{} = {}").format(sql.Identifier(it.name), sql.SQL(text)) for it, text in key.items())
    return sql.SQL("(SELECT _id FROM {} WHERE {})").format(target.name(target.base), sql.SQL(" AND ").join(pairs))


def _own_row(table: StoreTable, values: Mapping[str, str], identities: Identities, key: str, bucket: int) -> Row:
    own = own_leaves(table.shape)

    def of(column: Column) -> str:
        if column.leaf is not None:
            return values[column.leaf.column]
        return f"{identities[column.name]:d}::bigint" if identities.get(column.name) else "NULL::bigint"

    columns = {column.name: of(column) for column in table.version_columns}
    if table.has_identity:
        columns["_identity"] = f"{identities[OWN]:d}"
    return Row(
        table,
        _literal(key),
        record_hash_postgres(own, [values[leaf.column] for leaf in own]),
        columns,
        " AND ".join(f"v.{_quoted(name)} = {columns[name]}" for name in table.row_key),
        bucket,
    )


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)


def _said(
    table: StoreTable,
    target: StoreTable,
    values: Mapping[str, str],
    identities: Identities,
    mapped: frozenset[str],
    storing: Storing,
) -> Iterator[Judged]:
    """What the record says of a type that it refers to, of each identity that it names. Locked only where something is written."""
    if not target.has_attributes:
        return
    speaking: dict[int, list[Column]] = {}
    for column in references(table):
        if column.reference == target and (identity := identities.get(column.name)):
            speaking.setdefault(identity, []).append(column)
    rows = [_referred_row(target, identity, columns, values, mapped) for identity, columns in speaking.items()]
    judged = [_judge(row, storing) for row in rows]
    if any(it.fate in ENTERING for it in judged):
        lock_whole(target)
        judged = [_judge(row, storing) for row in rows]
    yield from judged


def _referred_row(
    target: StoreTable, identity: int, columns: Sequence[Column], values: Mapping[str, str], mapped: frozenset[str]
) -> Row:
    """Several references may name the same thing; an attribute that nothing mapped speaks of keeps its stored value."""
    leaves = target.shape.leaves
    theirs = [{leaf.path: leaf for leaf in column.leaves} for column in columns]

    def of(leaf: Leaf) -> str:
        ours = [by_path[f"{column.name}.{leaf.path}"] for column, by_path in zip(columns, theirs, strict=True)]
        if not leaf.key and not any(it.name in mapped for it in ours):
            return f"v.{_quoted(leaf.name)}"
        collated = ' COLLATE "C"' if leaf.kind == "text" else ""
        said = [values[it.column] + collated for it in ours]
        return said[0] if len(said) == 1 else f"greatest({', '.join(said)})"

    by_name = {leaf.name: of(leaf) for leaf in leaves}
    key = (key_part_sql(target.shape, it, canonical_postgres(it, by_name[it.name])) for it in target.shape.key_leaves)
    own = own_leaves(target.shape)
    return Row(
        target,
        " || '|' || ".join(key),
        record_hash_postgres(own, [by_name[leaf.name] for leaf in own]),
        {column.name: by_name[column.name] for column in target.version_columns} | {"_identity": f"{identity:d}"},
        f"v._identity = {identity:d}",
    )


def _judge(row: Row, storing: Storing) -> Judged:
    """Hold a row against the current one of its key. Versions count on from one that was taken back with nothing in its place."""
    table = row.table
    query = sql.SQL(
        "SELECT {key}, {hash}, v._id, v._hash, v._date, v._version, (SELECT max(version) FROM reconciliation_retraction t WHERE "
        "t.record_type_id = {type} AND t.generation = {generation} AND t.restored IS NULL AND t.key = {key}) "
        "FROM (SELECT 1) o LEFT JOIN {table} v ON v._valid_to IS NULL AND {same}"
    ).format(
        key=sql.SQL(row.key),
        hash=sql.SQL(row.hash),
        type=sql.Literal(table.record_type.pk),
        generation=sql.Literal(table.record_type.generation),
        table=table.name(table.versions),
        same=sql.SQL(row.same),
    )
    key, hash_, current, stored, date, version, ended = _ask(query)
    if current is None:
        fate = "new"
    elif stored == hash_:
        fate = "unchanged"
    else:
        fate = "older" if date > storing.business_date else "changed"
    bucket = bucket_of(key) if row.bucket is None else row.bucket
    return Judged(row, fate, bucket, current, (version or ended or 0) + 1)


def _moment(entering: Sequence[Judged]) -> str:
    """When the rows change hands, UTC: now, after the beginning of every row that they replace, and after the end of every one that
    was taken back."""
    after = [
        sql.SQL("(SELECT _valid_from FROM {} WHERE _id = {})").format(
            it.row.table.name(it.row.table.versions), sql.Literal(it.current)
        )
        for it in entering
        if it.current is not None
    ]
    types = sql.Literal([it.row.table.record_type.pk for it in entering])
    after.append(
        sql.SQL("(SELECT max(at) FROM reconciliation_retraction WHERE record_type_id = ANY({}))").format(types)
    )
    later = sql.SQL(", ").join(sql.SQL("{} + interval '1 microsecond'").format(it) for it in after)
    text = sql.SQL("SELECT to_char(greatest(clock_timestamp(), {}) AT TIME ZONE 'UTC', {})")
    return str(_ask(text.format(later, sql.Literal(MOMENT)))[0])


def _enter(judged: Judged, storing: Storing, moment: str) -> None:
    """Close the row that is replaced, and add the new one."""
    table, row = judged.row.table, judged.row
    versions, at = table.name(table.versions), sql.Literal(f"{moment}+00")
    technical = [judged.version, judged.bucket, storing.run_id, storing.decision_id, storing.business_date.isoformat()]
    types = ("integer", "smallint", "bigint", "bigint", "date")
    given: list[sql.Composable] = [
        sql.SQL("{}::" + type_).format(sql.Literal(it)) for it, type_ in zip(technical, types, strict=True)
    ]
    given += [sql.SQL("{}::timestamptz").format(at), sql.SQL(row.hash)]
    values = [*map(sql.SQL, row.values.values()), *given]
    names = [sql.Identifier(name) for name in (*row.values, *TECHNICAL)]
    pairs = (sql.SQL("{} AS {}").format(value, name) for value, name in zip(values, names, strict=True))
    with connection.cursor() as cursor:
        if judged.current is not None:
            ending = sql.SQL("UPDATE {} SET _valid_to = {}::timestamptz WHERE _id = {}")
            cursor.execute(ending.format(versions, at, sql.Literal(judged.current)))
        cursor.execute(
            sql.SQL(
                "INSERT INTO {t} ({c}, _seal) SELECT {c}, {seal} FROM (SELECT {pairs} FROM (SELECT 1) o LEFT JOIN {t} v "
                "ON v._id = {current}) n"
            ).format(
                t=versions,
                c=sql.SQL(", ").join(names),
                seal=sql.SQL(seal_postgres("n")),
                pairs=sql.SQL(", ").join(pairs),
                current=sql.Literal(judged.current),
            )
        )
