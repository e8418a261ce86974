"""xlsx: a sheet with a header as a table. It is read in a process of its own, with limits."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.detection import with_header
from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow
from ingestion.readers.reader import Reading, footed
from ingestion.suggestion import nearest_end

CHILD = Path(__file__).with_name("workbook_child.py")
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG")  # of the environment; nothing else is its business
PATIENCE = 300  # seconds
NEAR = 500  # rows
MOST_MERGED = 1_000_000  # cells
OLD = b"\xd0\xcf\x11\xe0"
LOCKED = "EncryptedPackage".encode("utf-16-le")
Row = tuple[int, list[str]]


@dataclass(frozen=True)
class _Faults:
    """Cells that have no value of their own: why, by row and column from 0; and the notes of the sheet."""

    cells: Mapping[int, Mapping[int, str]]
    shown: Mapping[int, Mapping[int, str]]


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The sheet and its header; a person confirms what is not plain."""
    _refuse_old(path)
    sheet, notes, questions = _sheet(path, declared.get("sheet"))
    with _child(path, "sample", sheet) as (_, found):
        *sample, last = [*found] or [(1, [])]
    lines = [_line(cells) for _, cells in _dense(sample, last)]
    if not any(line.strip() for line in lines):
        raise UnreadableFile(
            f"Sheet {sheet!r} is empty. Name another one as `sheet:` in the format, or deliver it with its rows."
        )
    header = declared.get("header")
    if header and int(str(header)) > len(lines):
        raise UnreadableFile(
            f"Sheet {sheet!r} has no row {header} in its first {len(lines)}, where `header:` expects the names."
        )
    draft = FileFormat("", ",", '"', None, 0, (), notes=tuple(notes), type="excel", options={"sheet": sheet})
    format_ = with_header(draft, lines, declared)
    if format_.header is None:
        width = max(len(cells) for _, cells in [*sample, last])
        format_ = replace(format_, columns=tuple(f"column_{n}" for n in range(1, width + 1)))
    return replace(format_, delimiter="", quote="", questions=(*questions, *format_.questions))


def _refuse_old(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(1 << 20)
    if first.startswith(OLD):
        kind = "is locked with a password" if LOCKED in first else "is of the old Excel format"
        raise UnreadableFile(f"The workbook {kind}. Save it as a plain .xlsx, and deliver it again.")
    if not first.startswith(b"PK"):
        raise UnreadableFile(
            "The file is no xlsx workbook, whatever its name says. Save it as .xlsx, and deliver it again."
        )


def _sheet(path: Path, declared: object) -> tuple[str, list[str], list[str]]:
    """The name of the sheet to read, notes, and a question where several could be meant."""
    with _child(path, "sheets") as (facts, _):
        sheets: list[dict[str, object]] = facts["sheets"]  # type: ignore[assignment]
    names = [str(it["name"]) for it in sheets]
    if isinstance(declared, int) and 1 <= declared <= len(names):
        return names[declared - 1], [], []
    if declared is not None:
        if str(declared) not in names:
            hint = nearest_end(str(declared), names)
            raise UnreadableFile(f"The workbook has no sheet {str(declared)!r}, which `sheet:` names{hint}")
        return str(declared), [], []
    filled = [str(it["name"]) for it in sheets if it["visible"] and it["filled"]]
    if not filled:
        raise UnreadableFile(
            "The workbook has no visible sheet with rows. Name a hidden one as `sheet:` in the format."
        )
    unread = [name for name in names if name != filled[0]]
    notes = [f"Sheet {filled[0]!r} was read; not read: {', '.join(unread)}."] if unread else []
    questions = [
        f"The workbook has several sheets with rows ({', '.join(filled)}); write `sheet: {filled[0]}` in the format, or "
        "deliver with --accept."
    ]
    return filled[0], notes, questions if len(filled) > 1 else []


@contextmanager
def _child(path: Path, what: str, sheet: str = "") -> Iterator[tuple[dict[str, object], Iterator[Row]]]:
    """The facts and the rows that the process prints; UnreadableFile when it refuses, or dies of the file."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    command = [sys.executable, "-I", str(CHILD), str(path), what, sheet]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        encoding="utf-8",
    ) as child:  # fmt: skip
        alarm = threading.Timer(PATIENCE, child.kill)
        alarm.start()
        try:
            lines = _lines(child)
            facts = next(lines)
            assert isinstance(facts, dict)
            yield facts, ((it[0], it[1:]) for it in lines)  # type: ignore[index]
        finally:
            alarm.cancel()
            child.kill()


def _lines(child: "subprocess.Popen[str]") -> Iterator[object]:
    assert child.stdout is not None
    for line in child.stdout:
        document = json.loads(line) if line.endswith("\n") else {}
        if isinstance(document, dict) and "refused" in document:
            raise UnreadableFile(str(document["refused"]))
        yield document
    if child.wait():
        raise UnreadableFile(
            "The workbook could not be read within the limits of memory and time, or it is damaged. Deliver it in parts, "
            "or as CSV."
        )


def _dense(sample: list[Row], last: Row) -> Iterator[Row]:
    """The rows with those that are blank between them, so that the n-th is row n; the last one may stand far below."""
    number = 0
    for at, cells in sample or [last]:
        yield from ((n, []) for n in range(number + 1, at))
        yield at, cells
        number = at
    if sample:
        yield from ((n, []) for n in range(number + 1, last[0]) if n <= number + NEAR)
        yield last


def _line(cells: list[str]) -> str:
    """Cells as a line of CSV, without the blank ones at the end."""
    filled = len(cells)
    while filled and not cells[filled - 1]:
        filled -= 1
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([" ".join(cell.split()) for cell in cells[:filled]])
    return text.getvalue()


def _notes(facts: Mapping[str, object]) -> Iterator[str]:
    if facts["formulas"]:
        yield f"{facts['formulas']:,} cells are formulas; the values that the workbook keeps of them were read."
    if facts["hidden"]:
        yield f"{facts['hidden']:,} hidden rows were read too."


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """The rows under the header, blank ones left out, the footer last as rows without cells."""
    above = format_.skip + (1 if format_.header else 0)
    with _child(path, "rows", str(format_.options["sheet"])) as (facts, found):
        reading.notes += _notes(facts)
        faults = _faults(facts)
        wanted = [
            reading.is_wanted(name) or reading.is_wanted(f"column_{n}") for n, name in enumerate(format_.columns, 1)
        ]
        records = (row for row in found if row[0] > above)
        yield from footed(_records(records, faults, wanted), format_)


def _records(found: Iterator[Row], faults: _Faults, wanted: list[bool]) -> Iterator[FileRow]:
    for number, cells in found:
        shown = faults.shown.get(number - 1, {})
        cells = [shown.get(column, cell) for column, cell in enumerate(cells)]
        if any(cells):
            yield _row(number, cells, faults.cells.get(number - 1, {}), wanted)


def _row(number: int, cells: list[str], faults: Mapping[int, str], wanted: list[bool]) -> FileRow:
    raw, width = "\t".join(cells).rstrip("\t"), len(wanted)
    reason = next((why for column, why in sorted(faults.items()) if column < width and wanted[column]), "")
    if not reason and any(cells[width:]):
        column = next(n for n, cell in enumerate(cells) if n >= width and cell)
        reason = f"Cell {_letters(column)}{number} has a value, but its column has no header."
    return FileRow(number, raw, None if reason else (cells + [""] * (width - len(cells)))[:width], reason)


def _faults(facts: Mapping[str, object]) -> _Faults:
    cells: dict[int, dict[int, str]] = {}
    shown: dict[int, dict[int, str]] = {}
    errors: dict[str, str] = facts["errors"]  # type: ignore[assignment]
    for place, error in errors.items():
        row, column = _position(place)
        shown.setdefault(row, {})[column] = error
        cells.setdefault(row, {})[column] = f"Cell {place} holds the error {error}. Mend it in the workbook."
    for place in facts["uncomputed"]:  # type: ignore[attr-defined]
        row, column = _position(place)
        shown.setdefault(row, {})[column] = "(not computed)"
        cells.setdefault(row, {})[column] = (
            f"Cell {place} holds a formula without a value. Open the workbook, save it, and deliver it again."
        )
    for row, column, area in _covered(facts["merged"]):  # type: ignore[arg-type]
        place = f"{_letters(column)}{row + 1}"
        cells.setdefault(row, {}).setdefault(
            column, f"Cell {place} is merged with {area}, and only the first of them has the value. Unmerge them."
        )
    return _Faults(cells, shown)


def _covered(merged: list[str]) -> Iterator[tuple[int, int, str]]:
    """The cells of merged areas but the first of each."""
    areas = [(area, *_position(area.split(":")[0]), *_position(area.split(":")[-1])) for area in merged]
    if sum((bottom - top + 1) * (right - left + 1) for _, top, left, bottom, right in areas) > MOST_MERGED:
        raise UnreadableFile(
            f"More than {MOST_MERGED:,} cells of the sheet are merged, so it is no table. Unmerge them."
        )
    for area, top, left, bottom, right in areas:
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                if (row, column) != (top, left):
                    yield row, column, area


def _position(place: str) -> tuple[int, int]:
    """Row and column from 0 of a place such as C7."""
    letters = place.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    return int(place[len(letters) :]) - 1, column - 1


def _letters(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
