"""Loading: only new or changed rows enter; a changed record closes its row and adds a version."""

import datetime as dt
from dataclasses import dataclass

import duckdb
from django.db import OperationalError, connection
from psycopg import sql
from psycopg.errors import LockNotAvailable

from ingestion.models import RecordType
from ingestion.shape import Shape
from ingestion.sql_text import quoted
from reconciliation.store.ddl import LOCK
from reconciliation.store.entering import BULK_ROWS, Load, enter, moment_of
from reconciliation.store.fates import ENTERING, Judged, judge
from reconciliation.store.referred import Saying, referred_relation
from reconciliation.store.tables import StoreRefusal, StoreTable, store_table, targets

LOCK_SPACE = LOCK << 16  # record type ids are added to it; a bucket is the second number
WHOLE = 1 << 20  # beside the buckets: whoever writes versions of a referred-to type


@dataclass(frozen=True)
class Loaded:
    """Rows by what became of them. The keys of `older` stand in the DuckDB temp table `older_key`."""

    new: int
    changed: int
    unchanged: int
    older: int


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
    each_decided: bool = False,
    bucket_range: tuple[int, int] = (0, 63),
) -> Loaded:
    """Store the records of `relation` (key, bucket, leaf columns, hash), in the caller's transaction, after
    `upsert_identities`. An older business date never replaces a newer row.

    `mapped` are the names of the leaves that the mappings fill: an attribute of a reference that none of them fills keeps
    its stored value. `each_decided`: each record names its own decision, in a column `decision`.
    """
    table = store_table(record_type)
    if not table.has_versions:
        raise StoreRefusal(
            f"No source delivers {record_type.code!r}; its records are stored through their references only."
        )
    lock_buckets(table, bucket_range, count_of(duck, relation))
    if table.has_identity:
        lock_whole(table)
    main = judge(duck, table, relation, business_date, bucket_range)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE older_key AS {main.keys('older')}")
    standing = _standing(duck, relation, main)
    saying = Saying(standing, mapped, each_decided)
    judged = [*_judge_references(duck, saying, table, business_date), main]
    load = Load(run_id, business_date, decision_id, moment_of(duck, judged), each_decided)
    for each in judged:
        enter(duck, each, load)
    return Loaded(*(main.counts.get(fate, 0) for fate in ("new", "changed", "unchanged", "older")))


def count_of(duck: duckdb.DuckDBPyConnection, relation: str) -> int:
    """How many records a relation has."""
    return int(duck.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0])


class PlacesTaken(Exception):
    """Who loads records of these buckets did not end in time; the transaction is lost."""


def lock_places(record_type: RecordType, bucket_range: tuple[int, int], *, seconds: int = 0) -> None:
    """Keep others from writing records of these buckets until the transaction ends; before anything else is locked. PlacesTaken
    after so many seconds of waiting for who does; 0: as the session waits."""
    table = store_table(record_type)
    if not table.has_versions:
        return
    try:
        lock_buckets(table, bucket_range, seconds=seconds)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise PlacesTaken from error
        raise


def lock_buckets(table: StoreTable, bucket_range: tuple[int, int], count: int = 1, *, seconds: int = 0) -> None:
    """Buckets in ascending order, waiting so many seconds for each, 0 as the session does. A bulk load also takes the table from other
    writers, before it reads anything."""
    mode = "SHARE ROW EXCLUSIVE" if count >= BULK_ROWS else "ROW EXCLUSIVE"
    locks: sql.Composable = sql.SQL(
        f"SELECT pg_advisory_xact_lock(%s, bucket) FROM generate_series(%s, %s) AS bucket; LOCK TABLE {{}} IN {mode} MODE"
    ).format(table.name(table.versions))
    if seconds:
        bounded = sql.SQL("SET LOCAL lock_timeout = {}; {}; SET LOCAL lock_timeout TO DEFAULT")
        locks = bounded.format(sql.Literal(f"{seconds}s"), locks)
    with connection.cursor() as cursor:
        cursor.execute(locks, [LOCK_SPACE + table.record_type.pk, *bucket_range])


def lock_whole(table: StoreTable) -> None:
    """Of a type that others refer to: whoever writes versions of it comes one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE + table.record_type.pk, WHOLE])


def _standing(duck: duckdb.DuckDBPyConnection, relation: str, main: Judged) -> str:
    """The records that are not older than what is stored: what they say of their references counts."""
    if not main.counts.get("older"):
        return relation
    duck.execute(
        f"CREATE OR REPLACE TEMP VIEW standing_record AS SELECT * FROM {quoted(relation)} "
        "WHERE key NOT IN (SELECT key FROM older_key)"
    )
    return "standing_record"


def _judge_references(
    duck: duckdb.DuckDBPyConnection, saying: Saying, table: StoreTable, business_date: dt.date
) -> list[Judged]:
    """What the records say of the types that they refer to. Locked only where something is to be written."""
    judged = []
    for target in targets(table):
        if not target.has_attributes:
            continue
        said = referred_relation(duck, saying, table, target)
        found = judge(duck, target, said, business_date, (0, 63))
        if any(found.counts.get(fate) for fate in ENTERING):
            lock_whole(target)
            said = referred_relation(duck, saying, table, target)
            judged.append(judge(duck, target, said, business_date, (0, 63)))
    return judged
