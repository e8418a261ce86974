"""Rows on their way in: closing what they replace, then one COPY in key order."""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import duckdb
from django.db import OperationalError, connection, transaction
from psycopg import sql

from ingestion.sql_text import literal, quoted
from reconciliation.bulk import copy_in
from reconciliation.store import ddl
from reconciliation.store.fates import ROW_BYTES, Judged
from reconciliation.store.identities import identity_join
from reconciliation.store.seals import MOMENT, Constants, seal_sql
from reconciliation.store.tables import StoreTable, is_named, references, targets

BULK_ROWS = 50_000  # from here on foreign keys are cheaper checked as a whole than row by row
REBUILD_SHARE = 3  # rows of at least a third of the table build its indexes anew
ATTEMPTS, PAUSE = 20, 0.05
OWN = "own"  # the identities of the rows themselves, of a type that others refer to


@dataclass(frozen=True)
class Load:
    """What every row of a load carries. `moment` is UTC text down to the microsecond.

    The decision is one of all rows, or each row's own: then the relation has a column `decision`.
    """

    run_id: int
    business_date: dt.date
    decision_id: int | None
    moment: str
    each_decided: bool = False

    @property
    def decision(self) -> str:
        """DuckDB SQL of a row's decision as its seal has it."""
        return "r.decision" if self.each_decided else f"'{self.decision_id or '-'}'"


def moment_of(duck: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> str:
    """The moment at which the rows change hands: now, and after the beginning of every row that they replace, and the end of
    every one that was taken back."""
    with connection.cursor() as cursor:
        begun: list[sql.Composable] = [sql.SQL("clock_timestamp()")]
        for each in judged:
            if each.counts.get("changed"):
                _push_closing(duck, each)
                begun.append(
                    sql.SQL(
                        "(SELECT max(v._valid_from) + interval '1 microsecond' FROM {} v JOIN {} USING (_id))"
                    ).format(each.table.name(each.table.versions), _closing(each))
                )
        types = [each.table.record_type.pk for each in judged]
        begun.append(
            sql.SQL(
                "(SELECT max(at) + interval '1 microsecond' FROM reconciliation_retraction WHERE record_type_id = ANY({}))"
            ).format(sql.Literal(types))
        )
        moments = sql.SQL(", ").join(begun)
        cursor.execute(
            sql.SQL("SELECT to_char(greatest({}) AT TIME ZONE 'UTC', {})").format(moments, sql.Literal(MOMENT))
        )
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
                sql.SQL(
                    "UPDATE {} v SET _valid_to = %s::timestamp AT TIME ZONE 'UTC' FROM {} c WHERE v._id = c._id"
                ).format(table.name(table.versions), _closing(judged)),
                [load.moment],
            )
            assert cursor.rowcount == changed
    with _relaxed(table, judged.entering) as is_alone:
        same = _same_for_all(judged, load)
        with _defaults(table, same) if is_alone else nullcontext():
            values = _row_values(judged, load) | ({} if is_alone else same)
            copied = copy_in(duck, _rows_sql(judged, values), table.name(table.versions), list(values))
    assert copied == judged.entering


def _same_for_all(judged: Judged, load: Load) -> dict[str, str]:
    """Columns that have one value in the whole load, as literals."""
    same = {
        "_run": str(load.run_id),
        "_date": literal(load.business_date.isoformat()),
        "_valid_from": literal(load.moment + "+00"),
    }
    if load.decision_id is not None:
        same["_decision"] = str(load.decision_id)
    return same if judged.fate else same | {"_version": "1"}


def _row_values(judged: Judged, load: Load) -> dict[str, str]:
    """The other columns: name -> DuckDB SQL over the relation r, its fate f and the identities."""
    table, values = judged.table, {}
    if table.has_identity:
        values["_identity"] = f"{OWN}.id"
    for column in table.version_columns:
        if column.leaf is not None:
            values[column.name] = f"r.{column.leaf.column}"
        else:
            missing = f"error('A reference of {column.name} has no identity.')"
            values[column.name] = (
                f"CASE WHEN {is_named(column.key_leaves, 'r.')} THEN coalesce(i_{column.name}.id, {missing}) END"
            )
    if judged.fate:
        values["_version"] = "f.version"
    if load.each_decided:
        values["_decision"] = "r.decision"
    constants = Constants(load.run_id, load.decision, load.business_date, load.moment)
    seal = seal_sql("r.hash", "f.version" if judged.fate else "1", "r.bucket", constants)
    return values | {"_bucket": "r.bucket", "_hash": "r.hash", "_seal": seal}


def _rows_sql(judged: Judged, values: dict[str, str]) -> str:
    """DuckDB SQL of the entering rows in key order."""
    table, joined = judged.table, []
    if judged.fate:
        joined.append(f"JOIN {judged.fate} f ON f.key = r.key AND f.fate IN ('new', 'changed')")
    if table.has_identity:
        joined.append(identity_join(table, table.shape.key_leaves, OWN))
    joined += [
        identity_join(column.reference, column.key_leaves, f"i_{column.name}")
        for column in references(table)
        if column.reference is not None
    ]
    return f"SELECT {', '.join(values.values())} FROM {quoted(judged.relation)} r {' '.join(joined)} ORDER BY r.key"


@contextmanager
def _defaults(table: StoreTable, values: dict[str, str]) -> Iterator[None]:
    """While the table is ours alone, what is the same in every row need not go through the COPY."""
    _alter(table, [f"ALTER COLUMN {name} SET DEFAULT {value}" for name, value in values.items()])
    yield
    _alter(table, [f"ALTER COLUMN {name} DROP DEFAULT" for name in values])


def _alter(table: StoreTable, actions: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER TABLE {} " + ", ".join(actions)).format(table.name(table.versions)))


@contextmanager
def _relaxed(table: StoreTable, entering: int) -> Iterator[bool]:
    """Around a bulk COPY: foreign keys, and on a small table indexes, are taken off and put back set-based.

    All in the caller's transaction, so that nobody ever sees the table without them. While somebody reads the table all
    the time, they stay on, and the load is slower. Gives whether the table is ours alone.
    """
    if entering < BULK_ROWS or not _have_alone(table):
        yield False
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [f'"store"."{table.versions}"'])
        rebuild = entering * REBUILD_SHARE >= cursor.fetchone()[0] // ROW_BYTES
        off = [*ddl.without_foreign_keys(table), *(ddl.without_indexes(table) if rebuild else [])]
        on = [*(ddl.indexes(table) if rebuild else []), *ddl.foreign_keys(table)]
        for statement in off:
            cursor.execute(statement)
        yield True
        for statement in on:
            cursor.execute(statement)
        if rebuild:
            cursor.execute(sql.SQL("ANALYZE {}").format(table.name(table.versions)))


def _have_alone(table: StoreTable) -> bool:
    """Lock the table and those that its foreign keys point to, without ever waiting in a queue."""
    names = [
        table.name(table.versions),
        *(target.name(target.base) for target in [*targets(table), table] if target.has_identity),
    ]
    statement = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT").format(sql.SQL(", ").join(names))
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            return True
        except OperationalError:
            time.sleep(PAUSE if attempt < ATTEMPTS - 1 else 0)
    return False
