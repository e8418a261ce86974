"""Checking the store: whatever was changed, added or taken away by hand is named."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
from django.db import connection
from psycopg import sql

from ingestion.models import RecordType
from reconciliation.bulk import copy_nothing, copy_out
from reconciliation.engine.record_hash import own_leaves, record_hash_postgres
from reconciliation.store.current import joins, key_text, leaf_sql
from reconciliation.store.ddl import complaints
from reconciliation.store.seals import seal_postgres
from reconciliation.store.splitting import identity_hash
from reconciliation.store.tables import SCHEMA, StoreTable, references, store_table

SHOWN = 20  # sentences per kind of fault and table; the rest is counted

HASHES = {
    "key": "VARCHAR",
    "_id": "BIGINT",
    "_run": "BIGINT",
    "_decision": "BIGINT",
    "_hash": "VARCHAR",
    "current": "BOOLEAN",
}


@dataclass(frozen=True)
class Fault:
    """A kind of fault: SQL of its rows (key text, then what the sentence names), and the sentence."""

    query: sql.Composable
    sentence: str


def check_store(record_type: RecordType) -> Iterator[str]:
    """A sentence for each thing in a record type's tables that is not as it was written."""
    table = store_table(record_type)
    found = list(complaints(table))
    yield from found
    if found:
        return  # the rest would stumble over what is missing
    if table.has_identity:
        yield from _told(_identities(table))
    if table.has_versions:
        for fault in (_altered(table), _twice(table), *_chains(table), _restored(table), *_unversioned(table)):
            yield from _told(fault)


def _told(fault: Fault) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT *, count(*) OVER () FROM ({}) f LIMIT {}").format(fault.query, sql.Literal(SHOWN))
        )
        rows = cursor.fetchall()
    for row in rows:
        yield fault.sentence.format(*row)
    if rows and rows[0][-1] > len(rows):
        yield f"{rows[0][-1] - len(rows)} more of this kind in the same table."


def _identities(table: StoreTable) -> Fault:
    """A key that was changed, or put in by hand."""
    query = sql.SQL("SELECT {}, o._id FROM {} o WHERE o._hash IS DISTINCT FROM {} ORDER BY o._id").format(
        key_text(table), table.name(table.base), sql.SQL(identity_hash(table, "o"))
    )
    return Fault(query, f"{SCHEMA}.{table.base} row {{1}} ({{0}}) is not as it was written: its key was changed.")


def _altered(table: StoreTable) -> Fault:
    """Values against the hash, hash and technical columns against the seal. A changed identity is named by itself."""
    leaves = own_leaves(table.shape)
    hashed = record_hash_postgres(leaves, [leaf_sql(table, leaf).as_string(None) for leaf in leaves])
    sound = [sql.SQL("true")]
    for number, column in enumerate(table.columns):
        if column.reference is not None:
            identity = sql.SQL(
                f"(i{number}._id IS NULL OR i{number}._hash = {identity_hash(column.reference, f'i{number}')})"
            )
            sound.append(identity)
    if table.has_identity:
        sound.append(sql.SQL(f"o._hash = {identity_hash(table, 'o')}"))
    lost = [
        sql.SQL(f"i{n}._id IS NULL AND v.{{}} IS NOT NULL").format(sql.Identifier(c.name))
        for n, c in enumerate(table.columns)
        if c.reference
    ]
    query = sql.SQL(
        "SELECT {key}, v._id, CASE WHEN {lost} THEN 'it refers to what is not there' WHEN v._hash IS DISTINCT FROM {hash} "
        "THEN 'its values were changed' ELSE 'its run, decision, date, beginning or version was changed' END "
        "FROM {table} v {joins} WHERE {lost} OR (v._hash IS DISTINCT FROM {hash} AND {sound}) OR v._seal <> {seal} ORDER BY v._id"
    ).format(
        key=key_text(table),
        lost=sql.SQL("({})").format(sql.SQL(" OR ").join(lost)) if lost else sql.SQL("false"),
        hash=sql.SQL(hashed),
        sound=sql.SQL(" AND ").join(sound),
        seal=sql.SQL(seal_postgres("v")),
        table=table.name(table.versions),
        joins=joins(table, None),
    )
    return Fault(query, f"{SCHEMA}.{table.versions} row {{1}} ({{0}}) is not as it was written: {{2}}.")


def _twice(table: StoreTable) -> Fault:
    keys = sql.SQL(", ").join(sql.Identifier("v", name) for name in table.row_key)
    query = sql.SQL(
        "SELECT {key}, v._id FROM {table} v {joins} WHERE v._valid_to IS NULL AND ({keys}) IN "
        "(SELECT {keys} FROM {table} v WHERE v._valid_to IS NULL GROUP BY {keys} HAVING count(*) > 1) ORDER BY v._id"
    ).format(key=key_text(table), table=table.name(table.versions), joins=joins(table, None), keys=keys)
    return Fault(query, f"{SCHEMA}.{table.versions} row {{1}} ({{0}}) is one of several current rows of its key.")


def _chains(table: StoreTable) -> Iterator[Fault]:
    """Versions count from 1 without a gap; each ends when the next begins; the last one is current. One that was taken back
    with nothing in its place ended by itself."""
    keys = sql.SQL(", ").join(sql.Identifier(name) for name in table.row_key)
    chain = sql.SQL(
        "SELECT *, lag(_version, 1, 0) OVER w AS before, lead(_version) OVER w AS after, lead(_valid_from) OVER w AS begins "
        "FROM {table} WHERE _version > 1 OR _valid_to IS NOT NULL WINDOW w AS (PARTITION BY {keys} ORDER BY _version)"
    ).format(table=table.name(table.versions), keys=keys)
    name, ended = f"{SCHEMA}.{table.versions}", _taken_back(table, "r.restored IS NULL AND r.at = v._valid_to")
    for choice, extra, sentence in (
        ("v._version > v.before + 1", "v.before + 1", f"{name} lacks version {{2}} of {{0}}, before row {{1}}."),
        (
            f"v.after IS NULL AND v._valid_to IS NOT NULL AND NOT {ended}",
            "v._version + 1",
            f"{name} lacks version {{2}} of {{0}}, after row {{1}}.",
        ),
        (
            f"v.after = v._version + 1 AND v._valid_to IS DISTINCT FROM v.begins AND NOT ({ended} AND v.begins > v._valid_to)",
            "v.after",
            f"{name} row {{1}} ({{0}}) does not end when version {{2}} begins.",
        ),
    ):
        query = sql.SQL("SELECT {key}, v._id, {extra} FROM ({chain}) v {joins} WHERE {choice} ORDER BY v._id").format(
            key=key_text(table), extra=sql.SQL(extra), chain=chain, joins=joins(table, None), choice=sql.SQL(choice)
        )
        yield Fault(query, sentence)


def _taken_back(table: StoreTable, condition: str) -> str:
    """SQL of whether the row v was taken back, and how."""
    of = f"r.record_type_id = {table.record_type.pk:d} AND r.generation = {table.record_type.generation:d}"
    return f"EXISTS (SELECT 1 FROM reconciliation_retraction r WHERE {of} AND r.row = v._id AND {condition})"


def _restored(table: StoreTable) -> Fault:
    """What was taken back stands no more."""
    query = sql.SQL("SELECT {key}, v._id FROM {table} v {joins} WHERE {choice} ORDER BY v._id").format(
        key=key_text(table),
        table=table.name(table.versions),
        joins=joins(table, None),
        choice=sql.SQL(_taken_back(table, "r.at IS DISTINCT FROM v._valid_to")),
    )
    return Fault(query, f"{SCHEMA}.{table.versions} row {{1}} ({{0}}) was taken back, and does not end where it was.")


def _unversioned(table: StoreTable) -> Iterator[Fault]:
    """An identity that a row refers to has a version, if the row is younger than the table of versions."""
    for column in references(table):
        target = column.reference
        if target is None or not target.has_attributes:
            continue
        query = sql.SQL(
            "SELECT {key}, o._id FROM {base} o WHERE EXISTS (SELECT 1 FROM {rows} v WHERE v.{column} = o._id AND v._valid_from > {since}) "
            "AND NOT EXISTS (SELECT 1 FROM {versions} r WHERE r._identity = o._id) ORDER BY o._id"
        ).format(
            key=key_text(target),
            base=target.name(target.base),
            rows=table.name(table.versions),
            column=sql.Identifier(column.name),
            versions=target.name(target.versions),
            since=_since(target),
        )
        yield Fault(
            query,
            f"{SCHEMA}.{target.versions} lacks every version of {{0}}, to which {SCHEMA}.{table.versions} refers.",
        )


def _since(target: StoreTable) -> sql.Composable:
    return sql.SQL("split_part(obj_description({}::regclass, 'pg_class'), ', since ', 2)::timestamptz").format(
        sql.Literal(f'"{SCHEMA}"."{target.versions}"')
    )


def export_hashes(record_type: RecordType, duck: duckdb.DuckDBPyConnection, into: str) -> int:
    """Bring all versions of a record type into the DuckDB temp table `into` (key, _id, _run, _decision, _hash, current).
    Gives how many."""
    table = store_table(record_type)
    if not table.has_versions or list(complaints(table)):
        return copy_nothing(duck, into, HASHES)
    query = sql.SQL("SELECT {}, v._id, v._run, v._decision, v._hash, v._valid_to IS NULL FROM {} v {}").format(
        key_text(table), table.name(table.versions), joins(table, None)
    )
    with connection.cursor() as cursor:
        return copy_out(duck, query.as_string(cursor.connection), into, HASHES)
