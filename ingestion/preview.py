"""Preview: what a file would become as a delivery, found by the very steps of a delivery; nothing is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from django.conf import settings

from ingestion import lake
from ingestion.control_totals import Declared, check_declared, check_totals
from ingestion.errors import IngestionError, MissingColumn
from ingestion.file_format import FileFormat
from ingestion.files import detect, frame, records, with_lines
from ingestion.framing import FileRow, RejectedRow
from ingestion.lookup import lookup
from ingestion.mapping import FieldMapping, field_mappings
from ingestion.models import Mapping as MappingVersion
from ingestion.normalize import Normalized, column_position, normalize
from ingestion.shape import Leaf
from ingestion.sql_text import literal
from ingestion.unpacking import unpacked

RECORDS = "records"
SHOWN_ROWS = 50
SHOWN_COLUMNS = 60
SHOWN_CHARACTERS = 200
LOOKED_AT = 50_000  # records; a page does not wait for more, the delivery reads them all
SHOWN_FAULTS = 50
NOUNS = {"integer": "whole number", "date": "date", "datetime": "point in time", "boolean": "true or false"}


@dataclass(frozen=True)
class Cell:
    """A cell as delivered; `why` where its value would be flagged."""

    text: str
    why: str = ""


@dataclass(frozen=True)
class ShownRow:
    """A row as delivered: its cells, or its raw text and why it would be quarantined."""

    number: int
    line: int
    cells: Sequence[Cell]
    raw: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Flag:
    """A value that would be flagged: kept as text beside a null, and found as a difference."""

    number: int
    field: str
    column: str
    text: str
    why: str


@dataclass(frozen=True)
class Preview:
    """What would come of a file. `error`: why it cannot be read; then there are as many parts as were found before it.

    `columns` are pairs of a column and the fields that it is mapped to. `is_whole`: the file ends within what was looked at.
    `may_wait`: it may be accepted in spite of the error, since another mapping could read it.
    """

    format: FileFormat | None = None
    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[ShownRow] = ()
    counts: Normalized | None = None
    is_whole: bool = True
    rejected: Sequence[RejectedRow] = ()
    flags: Sequence[Flag] = ()
    notes: Sequence[str] = ()
    questions: Sequence[str] = ()
    error: str = ""
    may_wait: bool = False

    @property
    def may_be_accepted(self) -> bool:
        """Whether a delivery can come of it."""
        return not self.error or self.may_wait


@dataclass
class _Looked:
    """What was found so far, in the order in which it is found."""

    found: Preview = field(default_factory=Preview)

    def add(self, **parts: object) -> None:
        """Put more to it."""
        self.found = replace(self.found, **parts)  # type: ignore[arg-type]


@contextmanager
def previewed(
    file: Path, mapping: MappingVersion, declared: Declared | None = None
) -> Iterator[tuple[Preview, Path | None]]:
    """What a file would become by a mapping version, and where its records lie as long as this is open; none where there are none.

    `declared` is what its manifest says. What cannot be read is told in `error`, with what was seen before.
    """
    folder, looked = lake.work_folder("preview"), _Looked()
    try:
        try:
            _look(file, mapping, folder, looked, declared)
        except IngestionError as error:
            looked.add(error=str(error), may_wait=isinstance(error, MissingColumn))
        yield looked.found, folder / RECORDS if looked.found.counts is not None else None
    finally:
        lake.discard(folder)


def preview(file: Path, mapping: MappingVersion, declared: Declared | None = None) -> Preview:
    """What a file would become by a mapping version."""
    with previewed(file, mapping, declared) as (found, _):
        return found


def _look(file: Path, mapping: MappingVersion, folder: Path, looked: _Looked, declared: Declared | None) -> None:
    raw = unpacked(file, folder)
    format_ = detect(raw, mapping.format)
    by_path = field_mappings(mapping.document)
    mappings = list(by_path.values())
    shown = list(islice(records(raw, format_), SHOWN_ROWS))
    looked.add(
        format=format_, questions=format_.questions, notes=format_.notes, columns=_columns(format_, mappings),
        rows=_shown(shown, {}, {}),
    )  # fmt: skip
    wanted = [it.column for it in mappings if it.column is not None]
    framed, format_ = frame(raw, format_, folder, wanted, LOOKED_AT)
    leaves = mapping.source.record_type.shape()
    made = normalize(
        framed, format_, leaves, mappings, folder / RECORDS,
        threads=settings.ENGINE_THREADS, memory=settings.ENGINE_MEMORY,
    )  # fmt: skip
    is_whole = made.received < LOOKED_AT
    totals = (
        check_totals(raw, format_, by_path) + check_declared(framed, format_, by_path, declared) if is_whole else []
    )
    keyless = with_lines(raw, format_, made.rejected[:SHOWN_FAULTS])
    found = sorted([*framed.rejected[:SHOWN_FAULTS], *keyless], key=lambda it: it.n)[:SHOWN_FAULTS]
    rejected = [replace(it, raw=_cut(it.raw)) for it in found]
    flags = _flags(folder / RECORDS, leaves.leaves, by_path) if made.flagged_values else []
    looked.add(
        format=format_, columns=_columns(format_, mappings), counts=made, is_whole=is_whole, rejected=rejected, flags=flags,
        rows=_shown(shown, {it.n: it.reason for it in rejected}, _by_place(flags, format_)), notes=[*format_.notes, *totals],
    )  # fmt: skip


def _columns(format_: FileFormat, mappings: Sequence[FieldMapping]) -> list[tuple[str, str]]:
    fields: dict[int | None, list[str]] = {}
    for it in mappings:
        fields.setdefault(column_position(format_, it.column) if it.column else None, []).append(it.path)
    shown = format_.columns[:SHOWN_COLUMNS]
    return [(name, ", ".join(fields.get(place, ()))) for place, name in enumerate(shown)]


def _shown(
    rows: Sequence[FileRow], reasons: Mapping[int, str], whys: Mapping[tuple[int, int | None], str]
) -> list[ShownRow]:
    """The first rows; `reasons` by row, `whys` by row and column."""
    shown = []
    for number, row in enumerate(rows, 1):
        texts = (row.cells or [])[:SHOWN_COLUMNS]
        cells = [Cell(_cut(text), whys.get((number, place), "")) for place, text in enumerate(texts)]
        shown.append(ShownRow(number, row.line, cells, _cut(row.raw), row.reason or reasons.get(number, "")))
    return shown


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _flags(made: Path, leaves: Sequence[Leaf], mappings: Mapping[str, FieldMapping]) -> list[Flag]:
    """The first flagged values with their raw texts."""
    mapped = [leaf for leaf in leaves if leaf.path in mappings]
    raws = ", ".join(f"raw_{leaf.column}" for leaf in mapped)
    with lookup() as duck:
        rows = duck.execute(
            f"SELECT n, flags, {raws} FROM read_parquet({literal(str(made))}) WHERE flags IS NOT NULL "
            f"ORDER BY n LIMIT {SHOWN_FAULTS}"
        ).fetchall()
    return [
        Flag(
            number, leaf.name, mappings[leaf.path].column or "", _cut(raw or ""), why_flagged(leaf, mappings[leaf.path])
        )
        for number, flags, *texts in rows
        for leaf, raw in zip(mapped, texts, strict=True)
        if leaf.name in flags.split(",")
    ][:SHOWN_FAULTS]


def _by_place(flags: Sequence[Flag], format_: FileFormat) -> dict[tuple[int, int | None], str]:
    return {(it.number, column_position(format_, it.column)): it.why for it in flags}


def why_flagged(leaf: Leaf, mapping: FieldMapping) -> str:
    """What a value that is flagged is not."""
    if mapping.values and mapping.others == "flag":
        return f"No code of the value map, which has {_few(list(mapping.values))}."
    if leaf.choices:
        return f"None of {_few(leaf.choices)}."
    if leaf.kind == "decimal":
        marks = f", written with {mapping.decimal!r}" if mapping.decimal != "." else ""
        return f"No number of at most {leaf.digits} digits with {leaf.places} places{marks}."
    pattern = f" of the pattern {' or '.join(mapping.parse)}" if mapping.parse else ""
    return f"No {NOUNS.get(leaf.kind, leaf.kind)}{pattern}."


def _few(words: Sequence[str]) -> str:
    return ", ".join(words[:10]) + (" ..." if len(words) > 10 else "")
