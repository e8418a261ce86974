"""Normalization: framed rows become typed records in Parquet, by DuckDB SQL; everything is read as text, strictly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import duckdb

from ingestion.buckets import BUCKETS, bucket_sql
from ingestion.errors import MissingColumn, UnreadableFile
from ingestion.file_format import NAMED_VALUES, FileFormat
from ingestion.framing import Framed, RejectedRow
from ingestion.mapping import FieldMapping
from ingestion.scratch import scratch_database
from ingestion.shape import Leaf, Shape, canonical_sql, key_part_sql
from ingestion.sql_text import literal, parquet
from ingestion.value_sql import cleaned_sql, direct_sql, is_direct, may_flag, typed_sql

PARTS = 16  # files of a partitioned delivery
NUMBER = "__n"
LONGEST_NAME = 100  # characters of a column in a sentence
SHORTEST_BOUND = 1_000_000  # bytes of a line; DuckDB reads in buffers of a few lines of this length
BUFFERED_LINES = 4
TOLD_RECORDS = 10_000  # rows without a key whose other values are kept
FLUSHED_ROWS = 10_000  # a part: by itself DuckDB gathers half a million rows of each, in 2 GB and 1.7 times the time


@dataclass(frozen=True)
class Normalized:
    """Counts of a normalization: received = normalized + quarantined. `rejected` are the rows without a key."""

    received: int
    normalized: int
    quarantined: int
    flagged_values: int
    rejected: Sequence[RejectedRow]


def normalize(
    framed: Framed,
    format_: FileFormat,
    shape: Shape,
    mappings: Sequence[FieldMapping],
    target: Path,
    *,
    threads: int = 2,
    memory: str = "1GB",
    partition: bool = False,
) -> Normalized:
    """Write the normalized records as Parquet (`target`: a file, or a folder of one part a bucket range)."""
    by_path = {mapping.path: mapping for mapping in mappings}
    check_columns(format_, mappings)
    flush = {"partitioned_write_flush_threshold": str(FLUSHED_ROWS)}
    try:
        with scratch_database(target.parent, threads=threads, memory=memory, **flush) as duck:
            return _normalize(duck, framed, format_, shape, by_path, target, partition=partition)
    except duckdb.InvalidInputException as error:
        raise UnreadableFile(f"The rows could not be read: {str(error).splitlines()[0]}") from error


def _normalize(
    duck: duckdb.DuckDBPyConnection,
    framed: Framed,
    format_: FileFormat,
    shape: Shape,
    mappings: dict[str, FieldMapping],
    target: Path,
    *,
    partition: bool,
) -> Normalized:
    duck.execute(f"CREATE TEMP VIEW normalized AS {_records_sql(framed, format_, shape, mappings)}")
    parts = ", PARTITION_BY (part), WRITE_PARTITION_COLUMNS false" if partition else ""
    part = f", bucket // {BUCKETS // PARTS} AS part" if partition else ""
    duck.execute(
        f"COPY (SELECT *{part} FROM normalized WHERE key IS NOT NULL) "
        f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION snappy{parts})"
    )
    kept, flagged = duck.execute(
        "SELECT count(*), coalesce(sum(len(string_split(flags, ','))), 0) "
        f"FROM read_parquet({parquet(target)}, hive_partitioning = false)"
    ).fetchall()[0]
    keyless = framed.received - len(framed.rejected) - kept
    rejected = _keyless(duck, keyless, shape) if keyless else []
    if len(rejected) != keyless:
        raise AssertionError(f"{framed.received} rows were received, but {kept} and {len(rejected)} came out.")
    return Normalized(framed.received, kept, len(framed.rejected) + keyless, int(flagged), rejected)


def _keyless(duck: duckdb.DuckDBPyConnection, count: int, shape: Shape) -> list[RejectedRow]:
    """The rows without a key, with their other values where they are not too many to tell."""
    names = " and ".join(leaf.name for leaf in shape.key_leaves)
    leaves = shape.leaves if count <= TOLD_RECORDS else ()
    texts = "".join(f", {canonical_sql(leaf, leaf.column)}" for leaf in leaves)
    rows = duck.execute(f"SELECT n, flags{texts} FROM normalized WHERE key IS NULL ORDER BY n").fetchall()
    reasons = {True: "does not fit its field", False: "is blank"}
    return [
        RejectedRow(
            n, 0, "", f"The key ({names}) {reasons[_flags_key(flags, shape)]}.",
            dict(zip((leaf.name for leaf in leaves), values, strict=True)) or None,
        )
        for n, flags, *values in rows
    ]  # fmt: skip


def _flags_key(flags: str | None, shape: Shape) -> bool:
    return bool(flags) and any(leaf.name in str(flags).split(",") for leaf in shape.key_leaves)


def check_columns(format_: FileFormat, mappings: Sequence[FieldMapping]) -> None:
    """Every mapped column is there; the error names those that are not, and of the first one what it may have meant."""
    missing = [it for it in mappings if it.column is not None and column_position(format_, it.column) is None]
    if not missing:
        return
    first = str(missing[0].column)
    near = _nearest(first, format_.columns)
    hint = f" Did you mean {near[:LONGEST_NAME]!r}?" if near else f" It has {_listed(format_.columns)}."
    if format_.type in NAMED_VALUES:
        hint += f" Where no record need have it, write `optional: [{first}]` in the format."
    others = "".join(f", nor {it.column!r} ({it.path})" for it in missing[1:10] if it.column != first)
    raise MissingColumn(f"The file has no column {first!r}, which {missing[0].path} is mapped from{others}.{hint}")


def _nearest(column: str, known: Sequence[str]) -> str:
    """The column that differs in case and punctuation alone, else one that is written alike."""
    same = next((it for it in known if _folded(it) == _folded(column)), "")
    return same or next(iter(get_close_matches(column, known, n=1, cutoff=0.5)), "")


def _folded(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(name[:LONGEST_NAME] for name in columns[:20])


def column_position(format_: FileFormat, column: str) -> int | None:
    """A column by its header, or as `column_n`."""
    if column in format_.columns:
        return format_.columns.index(column)
    number = column.removeprefix("column_")
    if column.startswith("column_") and number.isdigit() and 1 <= int(number) <= len(format_.columns):
        return int(number) - 1
    return None


def _records_sql(framed: Framed, format_: FileFormat, shape: Shape, mappings: dict[str, FieldMapping]) -> str:
    """Four steps: raw texts, cleaned texts, what is canonical as it stands, typed values with raw texts, key and flags."""
    used = {leaf: mappings[leaf.path] for leaf in shape.leaves if leaf.path in mappings}
    direct = [leaf for leaf, mapping in used.items() if is_direct(leaf, mapping)]
    cleaned = ", ".join(
        f"{cleaned_sql(mapping, _raw(mapping, format_))} AS c_{leaf.column}, {_raw(mapping, format_)} AS r_{leaf.column}"
        for leaf, mapping in used.items()
    )
    cast = "".join(f", {direct_sql(leaf, f'c_{leaf.column}')} AS d_{leaf.column}" for leaf in direct)
    is_canonical = "".join(f", {_canonical(leaf)} AS is_{leaf.column}" for leaf in direct)
    typed = ", ".join(f"{_typed(leaf, mapping, direct)} AS {leaf.column}" for leaf, mapping in used.items())
    outputs = (_outputs(leaf, used.get(leaf), is_direct=leaf in direct) for leaf in shape.leaves)
    return (
        f"WITH cleaned AS (SELECT {NUMBER} AS n, {cleaned} FROM {source_sql(framed, format_)}), "
        f"cast_ AS (SELECT *{cast} FROM cleaned), canonical AS (SELECT *{is_canonical} FROM cast_), "
        f"typed AS (SELECT *, {typed} FROM canonical), keyed AS (SELECT *, {_key_sql(shape)} AS key FROM typed) "
        f"SELECT n, {bucket_sql('key')} AS bucket, key, "
        f"{', '.join(outputs)}, {_flags_sql(used)} AS flags FROM keyed"
    )


def _canonical(leaf: Leaf) -> str:
    """True where the text is written just as its value is: it needs no pattern and has no raw text of its own."""
    return f"coalesce({canonical_sql(leaf, f'd_{leaf.column}')} = c_{leaf.column}, false)"


def _typed(leaf: Leaf, mapping: FieldMapping, direct: list[Leaf]) -> str:
    guarded = typed_sql(leaf, mapping, f"c_{leaf.column}")
    return f"CASE WHEN is_{leaf.column} THEN d_{leaf.column} ELSE {guarded} END" if leaf in direct else guarded


def source_sql(framed: Framed, format_: FileFormat) -> str:
    columns = [f"'c{n}': 'VARCHAR'" for n in range(len(format_.columns))]
    if framed.numbered:
        columns.insert(0, f"'{NUMBER}': 'BIGINT'")
    line = max(framed.longest + 1, SHORTEST_BOUND)
    ends = "new_line = '\\n', " if framed.numbered else ""  # as framing writes them; a CR in the first row is none
    read = (
        f"read_csv({literal(str(framed.path))}, columns = {{{', '.join(columns)}}}, auto_detect = false, header = false, "
        "compression = 'none', "  # it is unpacked by now, whatever its name says
        f"skip = {framed.header_lines}, delim = {literal(framed.delimiter)}, quote = {literal(framed.quote)}, "
        f"escape = {literal(framed.quote)}, nullstr = '\x01', strict_mode = true, {ends}"
        f"max_line_size = {line}, buffer_size = {BUFFERED_LINES * line})"
    )
    return read if framed.numbered else f"(SELECT *, row_number() OVER () AS {NUMBER} FROM {read})"


def _raw(mapping: FieldMapping, format_: FileFormat) -> str:
    if mapping.column is None:
        return literal(mapping.value or "")
    return f"c{column_position(format_, mapping.column)}"


def _outputs(leaf: Leaf, mapping: FieldMapping | None, *, is_direct: bool) -> str:
    """The value, and the raw text where it is not the canonical one."""
    name = leaf.column
    if mapping is None:
        return f"NULL::{leaf.sql_type} AS {name}, NULL::VARCHAR AS raw_{name}"
    if leaf.kind == "text" and mapping.is_taken_as_is:
        raw = f"CASE WHEN {name} IS NULL AND r_{name} <> '' THEN r_{name} END" if may_flag(leaf, mapping) else "NULL"
        return f"{name}, {raw}::VARCHAR AS raw_{name}"
    same = f"r_{name} IS NOT DISTINCT FROM coalesce({canonical_sql(leaf, name)}, '')"
    raw = f"CASE WHEN NOT ({same}) THEN r_{name} END"
    if is_direct:
        untouched = "" if mapping.is_taken_as_is else f" AND r_{name} = c_{name}"
        raw = f"CASE WHEN is_{name}{untouched} THEN NULL ELSE {raw} END"
    return f"{name}, {raw} AS raw_{name}"


def _flags_sql(used: Mapping[Leaf, FieldMapping]) -> str:
    """The flagged names; rows without any, which are most, cost one test."""
    tests = {
        leaf.name: f"{leaf.column} IS NULL AND c_{leaf.column} IS NOT NULL"
        for leaf, mapping in used.items()
        if may_flag(leaf, mapping)
    }
    if not tests:
        return "NULL::VARCHAR"
    names = ", ".join(f"CASE WHEN {test} THEN {literal(name)} END" for name, test in tests.items())
    return f"CASE WHEN {' OR '.join(f'({test})' for test in tests.values())} THEN concat_ws(',', {names}) END"


def _key_sql(shape: Shape) -> str:
    """The key's canonical texts joined by `|`; null when a part is blank."""
    parts = []
    for leaf in shape.key_leaves:
        text = canonical_sql(leaf, leaf.column)
        blank = f"trim({text}) = ''" if leaf.kind == "text" else "false"
        parts.append(f"CASE WHEN NOT ({blank}) THEN {key_part_sql(shape, leaf, text)} END")
    return " || '|' || ".join(parts)
