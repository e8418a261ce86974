"""What becomes of each record of a relation: new, changed, unchanged, or older than what is stored."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
from django.db import connection
from django.db.models import Max
from psycopg import sql

from ingestion.sql_text import literal, quoted
from reconciliation.bulk import Column, columns, copy_out
from reconciliation.models import Retraction
from reconciliation.store.current import is_empty, joins, key_text
from reconciliation.store.tables import StoreTable
from reconciliation.store.wanted import push_keys, wanted_rows

ENTERING = ("new", "changed")
PULL_SHARE = 5  # a relation of at least a fifth of the table reads the table's rows of its buckets whole
ROW_BYTES = 200
EXISTING = {"key": "VARCHAR", "id": "BIGINT", "hash": "VARCHAR", "date": "DATE", "version": "INTEGER"}


@dataclass(frozen=True)
class Judged:
    """A relation whose records are judged. `fate` names the DuckDB table (key, id, version, fate), or is empty when every record is
    new."""

    table: StoreTable
    relation: str
    fate: str
    counts: Mapping[str, int]

    def keys(self, fate: str) -> str:
        """DuckDB SQL of the keys with a fate."""
        return (
            f"SELECT key FROM {self.fate} WHERE fate = {literal(fate)}" if self.fate else "SELECT '' AS key WHERE false"
        )

    @property
    def entering(self) -> int:
        """How many rows enter."""
        return sum(self.counts.get(fate, 0) for fate in ENTERING)


def judge(
    duck: duckdb.DuckDBPyConnection,
    table: StoreTable,
    relation: str,
    business_date: dt.date,
    bucket_range: tuple[int, int],
) -> Judged:
    """Hold a relation (key, leaf columns, hash) against the current rows of its keys."""
    count = duck.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0]
    if not count or is_empty(table):
        return Judged(table, relation, "", {"new": count})
    fate, existing, ended = (f"{it}_{table.record_type.pk}" for it in ("fate", "existing", "ended"))
    if count * PULL_SHARE < _rows_about(table):
        _ask(duck, table, relation, existing)
    else:
        _pull(duck, table, existing, bucket_range)
    _bring_ended(duck, table, ended, bucket_range)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE {fate} AS SELECT r.key, e.id, coalesce(e.version, t.version, 0) + 1 AS version, "
        "CASE WHEN e.id IS NULL THEN 'new' WHEN e.hash = r.hash THEN 'unchanged' "
        f"WHEN e.date > DATE {literal(business_date.isoformat())} THEN 'older' ELSE 'changed' END AS fate "
        f"FROM {quoted(relation)} r LEFT JOIN {existing} e ON e.key = r.key LEFT JOIN {ended} t ON t.key = r.key"
    )
    counts = dict(duck.execute(f"SELECT fate, count(*) FROM {fate} GROUP BY fate").fetchall())
    return Judged(table, relation, fate, counts)


def _bring_ended(duck: duckdb.DuckDBPyConnection, table: StoreTable, into: str, bucket_range: tuple[int, int]) -> None:
    """The keys whose last version was taken back with nothing in its place: versions count on from it."""
    ended = Retraction.objects.of(table.record_type).filter(restored=None, bucket__range=bucket_range)
    versions = dict(ended.order_by().values_list("key").annotate(Max("version")))
    given: dict[str, Column] = {"key": list(versions), "version": np.array(list(versions.values()), dtype=np.int32)}
    with columns(duck, "given_ended", given):
        duck.execute(
            f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT CAST(key AS VARCHAR) AS key, version FROM given_ended"
        )


def _rows_about(table: StoreTable) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [f'"store"."{table.versions}"'])
        return int(cursor.fetchone()[0]) // ROW_BYTES


def _ask(duck: duckdb.DuckDBPyConnection, table: StoreTable, relation: str, into: str) -> None:
    leaves = ", ".join(leaf.column for leaf in table.shape.key_leaves)
    push_keys(duck, f"SELECT key, {leaves} FROM {quoted(relation)}", table.shape)
    source = wanted_rows(table, sql.Identifier("wanted_key"))
    _bring(
        duck,
        sql.SQL("SELECT w.key, v._id, v._hash, v._date, v._version FROM {} WHERE v._valid_to IS NULL").format(source),
        into,
    )


def _pull(duck: duckdb.DuckDBPyConnection, table: StoreTable, into: str, bucket_range: tuple[int, int]) -> None:
    low, high = bucket_range
    within = sql.SQL("true") if bucket_range == (0, 63) else sql.SQL(f"v._bucket BETWEEN {int(low)} AND {int(high)}")
    query = sql.SQL(
        "SELECT {}, v._id, v._hash, v._date, v._version FROM {} v {} WHERE v._valid_to IS NULL AND {}"
    ).format(key_text(table), table.name(table.versions), joins(table, None), within)
    _bring(duck, query, into)


def _bring(duck: duckdb.DuckDBPyConnection, query: sql.Composable, into: str) -> None:
    with connection.cursor() as cursor:
        copy_out(duck, query.as_string(cursor.connection), into, EXISTING)
