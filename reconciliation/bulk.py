"""Rows between DuckDB and PostgreSQL, set-based: CSV bytes through COPY on Django's own connection."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import duckdb
import numpy as np
from django.db import OperationalError, connection, transaction
from psycopg import sql

from ingestion.sql_text import literal, quoted

BLOCK = 1 << 20
Column = Sequence[Any] | np.ndarray


def copy_in(duck: duckdb.DuckDBPyConnection, query: str, table: sql.Composable, columns: Sequence[str]) -> int:
    """COPY the rows of a DuckDB query into a PostgreSQL table, in the caller's transaction. Gives how many.

    The rows go through a pipe while DuckDB still makes them; they never stand in memory or on disk.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        with cursor.cursor.copy(statement) as copy, _rows(duck, query) as rows:
            while block := rows.read(BLOCK):
                copy.write(block)
        return cursor.cursor.rowcount


@contextmanager
def _rows(duck: duckdb.DuckDBPyConnection, query: str) -> Iterator[IO[bytes]]:
    """The CSV bytes of a query. Leaving it raises what DuckDB raised, so that half the rows never pass for all."""
    reading, writing = os.pipe()

    def write() -> None:
        try:
            duck.execute(f"COPY ({query}) TO '/dev/fd/{writing}' (FORMAT csv, HEADER false, NULLSTR '')")
        finally:
            os.close(writing)

    with ThreadPoolExecutor(max_workers=1) as pool:
        written = pool.submit(write)
        with os.fdopen(reading, "rb", buffering=0) as rows:
            yield rows
        written.result()


def copy_out(
    duck: duckdb.DuckDBPyConnection, query: str, into: str, columns: dict[str, str], params: Sequence[object] = ()
) -> int:
    """Bring the rows of a PostgreSQL query into a DuckDB temp table with the given column types. Gives how many."""
    handle, name = tempfile.mkstemp(suffix=".csv")
    os.close(handle)
    path = Path(name)
    try:
        with (
            connection.cursor() as cursor,
            path.open("wb") as file,
            cursor.cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)", list(params) or None) as copy,
        ):
            for block in copy:
                file.write(block)
        types = ", ".join(f"{literal(column)}: {literal(type_)}" for column, type_ in columns.items())
        duck.execute(
            f"CREATE OR REPLACE TEMP TABLE {quoted(into)} AS SELECT * FROM read_csv({literal(name)}, header = false, "
            f"auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, "
            f"strict_mode = true, max_line_size = 100000000, columns = {{{types}}})"
        )
        return duck.execute(f"SELECT count(*) FROM {quoted(into)}").fetchall()[0][0]
    finally:
        path.unlink()


def copy_nothing(duck: duckdb.DuckDBPyConnection, into: str, columns: Mapping[str, str]) -> int:
    """The same table without a row, where there is nothing to ask for. Gives 0."""
    listed = ", ".join(f"{quoted(name)} {type_}" for name, type_ in columns.items())
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(into)} ({listed})")
    return 0


@contextmanager
def columns(duck: duckdb.DuckDBPyConnection, name: str, given: Mapping[str, Column]) -> Iterator[None]:
    """Values of this process as the DuckDB relation `name`, a column a name. Texts and nulls want a cast."""
    duck.register(name, {column: _array(values) for column, values in given.items()})
    try:
        yield
    finally:
        duck.unregister(name)


def _array(values: Column) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def new_ids(table: str, count: int) -> np.ndarray:
    """Fresh ids of a table's sequence, as many as asked for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f'"{table}"'])
        sequence = cursor.fetchone()[0]  # looked up once; beside nextval it would be looked up for each id
        cursor.execute("SELECT array_agg(nextval(%s::regclass)) FROM generate_series(1, %s)", [sequence, count])
        return np.array(cursor.fetchone()[0] or [], dtype=np.int64)


def number_rows(duck: duckdb.DuckDBPyConnection, relation: str, table: str, into: str) -> int:
    """`relation` with a column `id` of fresh ids of a PostgreSQL table, as the DuckDB temp table `into`."""
    count = duck.execute(f"SELECT count(*) FROM {quoted(relation)}").fetchall()[0][0]
    with columns(duck, "fresh_ids", {"id": new_ids(table, count)}):
        duck.execute(
            f"CREATE OR REPLACE TEMP TABLE {quoted(into)} AS SELECT * FROM {quoted(relation)} POSITIONAL JOIN fresh_ids"
        )
    return count


MANY_ROWS = 1000
PATIENCE = "200ms"  # an ANALYZE takes less


def analyze(rows: int, *tables: str) -> None:
    """Tell the planner about tables that just grew by many rows; without it, it joins them row by row.

    Tables that another range of the run tells about, and keeps locked until it commits, are left alone.
    """
    if rows < MANY_ROWS:
        return
    with suppress(OperationalError):
        for table in tables:
            name = sql.Identifier(table)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(PATIENCE)))
                cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(name))
                cursor.execute("SET LOCAL lock_timeout = 0")
                cursor.execute(sql.SQL("ANALYZE {}").format(name))
