"""Parquet: every value as its exact text, dates and times as ISO 8601, nested values as `a.b`, lists as text."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb

from ingestion.errors import UnreadableFile
from ingestion.file_format import MOST_COLUMNS, FileFormat
from ingestion.framing import FileRow, Located
from ingestion.lookup import lookup
from ingestion.readers.reader import Reading
from ingestion.sql_text import literal, quoted

FETCHED = 500  # rows
MOST_ROWS = 200_000_000
MEMORY, THREADS = "500MB", 2
FLOATS = ("FLOAT", "DOUBLE")
Column = tuple[str, str, str]  # name, SQL of its text, type


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The columns as the file declares them."""
    with _reading(path) as duck:
        (rows,) = duck.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({literal(str(path))})").fetchall()[0]
        columns = _columns(duck, path)
    if int(rows or 0) > MOST_ROWS:
        raise UnreadableFile(
            f"The Parquet file says that it has {rows:,} rows, more than {MOST_ROWS:,}. Deliver it in parts."
        )
    names = [name for name, _, _ in columns]
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(
            f"The Parquet file has {len(names):,} columns, more than {MOST_COLUMNS:,}. Leave some out."
        )
    return FileFormat("", "", "", None, 0, tuple(names), type="parquet")


def _engine() -> duckdb.DuckDBPyConnection:
    """An engine of its own, for whole files."""
    duck = duckdb.connect()
    duck.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}")
    return duck


@contextmanager
def _reading(
    path: Path, engine: Callable[[], duckdb.DuckDBPyConnection] = _engine
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine; what it refuses is a sentence without our paths."""
    duck = engine()
    try:
        duck.execute("SET TimeZone = 'UTC'")
        yield duck
    except duckdb.Error as error:
        said = str(error).splitlines()[0].replace(str(path), "the file").replace(f"'{path.name}'", "the file")
        raise UnreadableFile(
            f"The Parquet file cannot be read ({said[:200]}). It is damaged or locked; deliver it again."
        ) from None
    finally:
        duck.close()


def _columns(duck: duckdb.DuckDBPyConnection, path: Path) -> list[Column]:
    """The columns with the SQL of their texts; distinct names."""
    found = duck.execute(f"SELECT * FROM {_source(path)} LIMIT 0").description or []
    flat = [
        column for name, type_, *_ in found if name != "file_row_number" for column in _flat(name, quoted(name), type_)
    ]
    moments = [sql for _, sql, kind in flat if kind.startswith("TIMESTAMP")]
    days = _whole_days(duck, path, moments)
    taken: dict[str, Column] = {}
    for name, sql, kind in flat:
        distinct, number = name, 2
        while distinct in taken:
            distinct, number = f"{name}_{number}", number + 1
        taken[distinct] = (distinct, _text_sql(sql, kind, is_day=sql in days), kind)
    return list(taken.values())


def _flat(name: str, sql: str, type_: object) -> Iterator[Column]:
    """A column, or those of its parts."""
    if getattr(type_, "id", "") == "struct":
        for inner, part in type_.children:  # type: ignore[attr-defined]
            yield from _flat(f"{name}.{inner}", f"struct_extract({sql}, {literal(inner)})", part)
    else:
        yield name, sql, str(type_)


def _whole_days(duck: duckdb.DuckDBPyConnection, path: Path, moments: list[str]) -> set[str]:
    """The times that are all at midnight, as tools write dates that know no date."""
    if not moments:
        return set()
    tests = ", ".join(f"coalesce(bool_and({sql} = date_trunc('day', {sql})), false)" for sql in moments)
    found = duck.execute(f"SELECT {tests} FROM {_source(path)}").fetchall()[0]
    return {sql for sql, is_day in zip(moments, found, strict=True) if is_day}


def _source(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, file_row_number = true, hive_partitioning = false)"


def _text_sql(sql: str, kind: str, *, is_day: bool) -> str:
    if kind.startswith("TIMESTAMP"):
        if is_day:
            return f"strftime({sql}, '%Y-%m-%d')"
        zone = "Z" if "TIME ZONE" in kind else ""
        text = f"replace(CAST({sql} AS TIMESTAMP)::VARCHAR, ' ', 'T')"
        return f"{text} || '{zone}'"
    if kind == "BLOB":
        return f"coalesce(TRY(decode({sql})), CAST({sql} AS VARCHAR))"
    return f"CAST({sql} AS VARCHAR)"


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """The rows in the order of the file."""
    with _reading(path) as duck:
        yield from _rows(duck, path, "")


def _rows(duck: duckdb.DuckDBPyConnection, path: Path, where: str) -> Iterator[FileRow]:
    columns = _columns(duck, path)
    texts = ", ".join(f"coalesce({sql}, '')" for _, sql, _ in columns)
    floats = [n for n, (_, _, kind) in enumerate(columns) if kind in FLOATS]
    duck.execute(f"SELECT file_row_number + 1, {texts} FROM {_source(path)} {where}")
    while block := duck.fetchmany(FETCHED):
        for number, *cells in block:
            for n in floats:
                cells[n] = _plain(cells[n])
            yield FileRow(number, "\t".join(cells), cells)


def _plain(text: str) -> str:
    """A float without an exponent."""
    return f"{Decimal(text):f}" if "e" in text else text.removesuffix(".0")


def locate(path: Path, format_: FileFormat, n: int) -> Located:
    """Row `n` without reading those before it; IndexError when there is none."""
    with _reading(path, lookup) as duck:
        row = next(_rows(duck, path, f"WHERE file_row_number = {n - 1:d}"), None)
    if row is None:
        raise IndexError(n)
    return Located(row.line, row.raw)
