"""Checking the `format` of a source: only the keys that its type has, each with a value that can be used."""

import codecs
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from config.definitions.faults import Fault
from ingestion.readers.kinds import TYPES
from ingestion.suggestion import nearest

KEYS: Mapping[str, tuple[str, ...]] = {
    "csv": ("delimiter", "encoding", "quote", "header", "skip", "footer"),
    "fixed": ("columns", "encoding", "skip", "footer"),
    "json": ("records", "optional", "encoding"),
    "ndjson": ("optional", "encoding"),
    "xml": ("records", "optional"),
    "parquet": (),
    "excel": ("sheet", "header", "skip", "footer"),
    "mt940": ("encoding",),
    "camt053": ("optional",),
}
NEEDED = {"fixed": "columns"}


def format_faults(place: str, given: object) -> Iterator[Fault]:
    """What is wrong with a format; without a type, which is then taken from the content, it may have any key."""
    if not isinstance(given, Mapping):
        yield Fault(place, 'a format is a mapping such as {type: csv, delimiter: ";"}')
        return
    kind = given.get("type")
    if kind is not None and kind not in TYPES:
        yield Fault(f"{place}.type", f"there is no type {kind!r}{nearest(str(kind), TYPES)}")
        return
    known = {key for keys in KEYS.values() for key in keys} if kind is None else set(KEYS[str(kind)])
    for key, value in given.items():
        at = f"{place}.{key}"
        if key not in known | {"type"}:
            where = "here" if kind is None else f"for type {kind!r}"
            yield Fault(at, f"there is no key {key!r} {where}{nearest(key, known)}")
        elif key != "type" and value is not None:
            yield from (Fault(at, sentence) for sentence in CHECKS[key](value))
    if (needed := NEEDED.get(str(kind))) and not given.get(needed):
        yield Fault(place, f"type {kind!r} needs {needed!r}, such as {{columns: {{id: [1, 8], amount: [9, 12]}}}}")


def _delimiter(value: object) -> Iterator[str]:
    if not isinstance(value, str) or len(value) != 1:
        yield 'it is one character, such as ";" or "\\t"'


def _encoding(value: object) -> Iterator[str]:
    try:
        "".encode(codecs.lookup(str(value)).name)
    except LookupError:
        yield f"there is no encoding {value!r}; write one such as utf-8, cp1252 or latin-1"


def _header(value: object) -> Iterator[str]:
    if value is not False and not _is_count(value, 1):
        yield "it is the number of the header's row, from 1, or false where there is none"


def _skip(value: object) -> Iterator[str]:
    if not _is_count(value, 0):
        yield "it is a number of lines"


def _footer(value: object) -> Iterator[str]:
    if not isinstance(value, Mapping) or not set(value) <= {"rows", "sum", "count"}:
        yield "it is a mapping such as {rows: 1, sum: Amount, count: true}"
    elif not _is_count(value.get("rows", 1), 1):
        yield "rows is a number of lines, from 1"


def _columns(value: object) -> Iterator[str]:
    if not isinstance(value, Mapping) or not value:
        yield "it is a mapping of names to [start, length], such as {id: [1, 8]}"
        return
    spans = []
    for name, span in value.items():
        if not isinstance(span, list) or len(span) != 2 or not all(_is_count(it, 1) for it in span):
            yield f"column {name!r} is [start, length], both whole numbers from 1, such as [1, 8]"
        else:
            spans.append((span[0], span[0] + span[1] - 1, name))
    for (_, end, one), (start, _, other) in pairwise(sorted(spans)):
        if start <= end:
            yield f"columns {one!r} and {other!r} overlap at position {start}"


def _records(value: object) -> Iterator[str]:
    if not isinstance(value, str) or not value.strip("./ "):
        yield "it is a path of names, such as data.items"


def _optional(value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(it, str) for it in value):
        yield "it is a list of columns, such as [memo, party.country]"


def _sheet(value: object) -> Iterator[str]:
    if not isinstance(value, str) and not _is_count(value, 1):
        yield "it is the name of a sheet, or its position from 1"


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


CHECKS: Mapping[str, Callable[[object], Iterator[str]]] = {
    "delimiter": _delimiter, "encoding": _encoding, "quote": _delimiter, "header": _header, "skip": _skip,
    "footer": _footer, "columns": _columns, "records": _records, "optional": _optional, "sheet": _sheet,
}  # fmt: skip
