"""Rows on their way in: closing what they replace, then one COPY in key order."""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
from django.db import OperationalError, connection, transaction
from psycopg import sql

from ingestion.sql_text import literal, quoted
from reconciliation.bulk import copy_in
from reconciliation.store import ddl
from reconciliation.store.fates import ROW_BYTES, Judged
from reconciliation.store.identities import identity_join, is_named
from reconciliation.store.seals import MOMENT, Constants, seal_sql
from reconciliation.store.tables import StoreRefusal, StoreTable, references, targets

BULK_ROWS = 50_000  # from here on foreign keys are cheaper checked as a whole than row by row
REBUILD_SHARE = 3  # rows of at least a third of the table build its indexes anew
ATTEMPTS, PAUSE = 20, 0.05


@dataclass(frozen=True)
class Load:
    """What every row of a load carries. `moment` is UTC text down to the microsecond."""

    run_id: int
    business_date: dt.date
    decision_id: int | None
    moment: str


def moment_of(duck: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> str:
    """The moment at which the rows change hands: now, and after the beginning of every row that they replace."""
    with connection.cursor() as cursor:
        begun = [sql.SQL("clock_timestamp()")]
        for each in judged:
            if each.counts.get("changed"):
                _push_closing(duck, each)
                begun.append(
                    sql.SQL("(SELECT max(v._valid_from) + interval '1 microsecond' FROM {} v JOIN {} USING (_id))").format(
                        each.table.name(each.table.versions), _closing(each)
                    )
                )
        moments = sql.SQL(", ").join(begun)
        cursor.execute(sql.SQL("SELECT to_char(greatest({}) AT TIME ZONE 'UTC', {})").format(moments, sql.Literal(MOMENT)))
        return str(cursor.fetchone()[0])


def _closing(judged: Judged) -> sql.Identifier:
    return sql.Identifier(f"closing_{judged.table.record_type.pk}")


def _push_closing(duck: duckdb.DuckDBPyConnection, judged: Judged) -> None:
    name = _closing(judged)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
        cursor.execute(sql.SQL("CREATE TEMP TABLE {} (_id bigint)").format(name))
        copy_in(duck, f"SELECT id FROM {judged.fate} WHERE fate = 'changed' ORDER BY id", name, ["_id"])
        cursor.execute(sql.SQL("ANALYZE {}").format(name))


def enter(duck: duckdb.DuckDBPyConnection, judged: Judged, load: Load) -> None:
    """Close the changed rows and add the entering ones."""
    if not judged.entering:
        return
    table = judged.table
    if changed := judged.counts.get("changed"):
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("UPDATE {} v SET _valid_to = %s::timestamp AT TIME ZONE 'UTC' FROM {} c WHERE v._id = c._id").format(
                    table.name(table.versions), _closing(judged)
                ),
                [load.moment],
            )
            assert cursor.rowcount == changed
    query = _rows_sql(duck, judged, load)
    names = [*([] if not table.has_identity else ["_identity"]), *(c.name for c in table.version_columns)]
    with _relaxed(table, judged.entering):
        copied = copy_in(duck, query, table.name(table.versions), [*names, *(name for name, _ in ddl.TECHNICAL)])
    assert copied == judged.entering


def _rows_sql(duck: duckdb.DuckDBPyConnection, judged: Judged, load: Load) -> str:
    """DuckDB SQL of the rows as the table has them, ids of references joined, in key order."""
    table, relation = judged.table, quoted(judged.relation)
    selected, joined = [], []
    if table.has_identity:
        selected.append(f"i_{judged.own}.id")
        joined.append(identity_join("r", judged.own, table.shape.key_leaves))
    for column in table.version_columns:
        if column.leaf is not None:
            selected.append(f"r.{column.leaf.column}")
            continue
        into = f"identity_{column.name}"
        named = is_named(column.key_leaves, "r.")
        selected.append(f"CASE WHEN {named} THEN coalesce(i_{into}.id, error('no identity')) END")
        joined.append(identity_join("r", into, column.key_leaves))
    version = "1"
    if judged.fate:
        joined.insert(0, f"JOIN {judged.fate} f ON f.key = r.key AND f.fate IN ('new', 'changed')")
        version = "f.version"
    technical = _technical(version, load)
    return f"SELECT {', '.join([*selected, *technical])} FROM {relation} r {' '.join(joined)} ORDER BY r.key"


def _technical(version: str, load: Load) -> list[str]:
    """The values of `ddl.TECHNICAL`, in its order."""
    constants = Constants(load.run_id, load.decision_id, load.business_date, load.moment)
    decision = "NULL" if load.decision_id is None else str(load.decision_id)
    seal = seal_sql("r.hash", version, "r.bucket", constants)
    moment = literal(load.moment + "+00")
    return [version, "r.bucket", str(load.run_id), decision, literal(load.business_date.isoformat()), moment, "NULL", "r.hash", seal]


@contextmanager
def _relaxed(table: StoreTable, entering: int) -> Iterator[None]:
    """Around a bulk COPY: foreign keys, and on a small table indexes, are taken off and put back set-based.

    All in the caller's transaction, so that nobody ever sees the table without them. While somebody reads the table all
    the time, they stay on, and the load is slower.
    """
    if entering < BULK_ROWS or not _have_alone(table):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [f'"store"."{table.versions}"'])
        rebuild = entering * REBUILD_SHARE >= cursor.fetchone()[0] // ROW_BYTES
        off = [*ddl.without_foreign_keys(table), *(ddl.without_indexes(table) if rebuild else [])]
        on = [*(ddl.indexes(table) if rebuild else []), *ddl.foreign_keys(table)]
        for statement in off:
            cursor.execute(statement)
        yield
        for statement in on:
            cursor.execute(statement)
        if rebuild:
            cursor.execute(sql.SQL("ANALYZE {}").format(table.name(table.versions)))


def _have_alone(table: StoreTable) -> bool:
    """Lock the table and those that its foreign keys point to, without ever waiting in a queue."""
    names = [table.name(table.versions), *(target.name(target.base) for target in [*targets(table), table] if target.has_identity)]
    statement = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT").format(sql.SQL(", ").join(names))
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            return True
        except OperationalError:
            time.sleep(PAUSE if attempt < ATTEMPTS - 1 else 0)
    return False
