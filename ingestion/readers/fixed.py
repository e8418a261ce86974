"""Fixed width: each column has its start and length in characters; the blanks that fill it up are not part of a value."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from ingestion.detection import SAMPLE, text_encoding
from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow, physical_lines
from ingestion.readers.reader import SAMPLED_RECORDS, Reading, footed

MOSTLY = 0.9  # of the lines; where so many are full, a short one was cut
Span = tuple[int, int]


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The columns as declared, and whether the lines end where their text ends."""
    columns = declared.get("columns")
    if not isinstance(columns, Mapping) or not columns:
        raise UnreadableFile("A fixed width file needs `columns: {name: [start, length]}` in the format.")
    with path.open("rb") as file:
        encoding, notes = text_encoding(path, file.read(SAMPLE), declared)
    footer = declared.get("footer") or {}
    format_ = FileFormat(
        encoding, "", "", None, int(str(declared.get("skip") or 0)), tuple(map(str, columns)),
        footer_rows=int(str(footer.get("rows", 1))) if footer else 0,  # type: ignore[attr-defined]
        footer_sum=str(footer.get("sum") or "") if footer else "",  # type: ignore[attr-defined]
        footer_count=bool(footer.get("count")) if footer else False,  # type: ignore[attr-defined]
        type="fixed", options={"spans": [list(span) for span in columns.values()]},
    )  # fmt: skip
    stripped = _is_stripped(path, format_)
    if stripped:
        notes = [*notes, "The lines end where their text ends; what a short line lacks is taken as blank."]
    return _with(format_, notes, stripped=stripped)


def _with(format_: FileFormat, notes: list[str], *, stripped: bool) -> FileFormat:
    document = format_.to_document() | {"notes": notes, "options": {**format_.options, "stripped": stripped}}
    return FileFormat.from_document(document)


def _is_stripped(path: Path, format_: FileFormat) -> bool:
    width = _width(format_)
    lines = [len(text) for _, text in islice(_filled(path, format_), SAMPLED_RECORDS)]
    if not lines:
        raise UnreadableFile("The file holds no record, only blank lines or those to skip. Deliver it with its rows.")
    return sum(length >= width for length in lines) < MOSTLY * len(lines)


def _filled(path: Path, format_: FileFormat) -> Iterator[tuple[int, str]]:
    for number, text, _ in physical_lines(path, format_):
        if number > format_.skip and text.strip():
            yield number, text


def _width(format_: FileFormat) -> int:
    return max(start + length - 1 for start, length in format_.options["spans"])  # type: ignore[attr-defined]


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """A row a line that is not blank, the footer last as rows without cells."""
    yield from footed(_lines(path, format_, reading), format_)


def _lines(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    spans = [(start - 1, start - 1 + length) for start, length in format_.options["spans"]]  # type: ignore[attr-defined]
    width, longer = _width(format_), 0
    for number, text, bad in physical_lines(path, format_):
        if number > format_.skip and text.strip():
            longer += len(text.rstrip()) > width
            yield _row(number, text, bad, spans, format_)
    if longer:
        reading.notes.append(f"{longer:,} lines have text after the last column, which ends at position {width}.")


def _row(number: int, text: str, bad: str, spans: list[Span], format_: FileFormat) -> FileRow:
    width = _width(format_)
    if not bad and len(text) < width and not format_.options["stripped"]:
        bad = f"It has {len(text)} characters where {width} were expected."
    return FileRow(number, text, None if bad else [text[start:end].strip(" ") for start, end in spans], bad)
