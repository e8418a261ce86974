"""Framing the rows of a reader: rectangular UTF-8 lines with record numbers; what is no record is set aside."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ingestion.framing import SPARE, FileRow, Framed, RejectedRow
from ingestion.readers.reader import Reading

NULL = "\x01"  # how normalization tells a cell that is not there
QUOTES = 3  # bytes around a cell


def frame_rows(rows: Iterable[FileRow], reading: Reading, folder: Path) -> Framed:
    """Write the rows as lines. Each is either framed or rejected: `received` counts both."""
    target = folder / "framed.csv"
    rejected: list[RejectedRow] = []
    number = kept = longest = 0
    widths = set()
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        for number, row in enumerate(rows, 1):
            reason, size = (row.reason, 0) if row.cells is None else text_fault(row.cells)
            if row.cells is None or reason:
                rejected.append(RejectedRow(number, row.line, storable(row.raw), reason))
                continue
            kept += 1
            widths.add(len(row.cells))
            longest = max(longest, size)
            writer.writerow([number, *row.cells])
    if kept + len(rejected) != number:
        raise AssertionError("A row was lost in framing.")
    if widths - {len(reading.columns)}:
        _widen(target, len(reading.columns))
    return _framed(target, number, rejected, 2 * longest + QUOTES * len(reading.columns) + SPARE)


def _framed(target: Path, received: int, rejected: Sequence[RejectedRow], longest: int) -> Framed:
    return Framed(
        target, received, rejected, numbered=True, delimiter=",", quote='"', header_lines=0, longest=longest
    )  # fmt: skip


def text_fault(cells: Sequence[str]) -> tuple[str, int]:
    """Why cells are no text that can be kept, or nothing; and their bytes."""
    text = "".join(cells)
    if "\0" in text:
        return "It holds a NUL byte, which no text may.", 0
    if NULL in cells:
        return "It holds a cell of nothing but a control character (01).", 0
    if text.isascii():
        return "", len(text)
    try:
        return "", len(text.encode())
    except UnicodeEncodeError:
        return "It holds half of a character (a lone surrogate), which no text may.", 0


def storable(raw: str) -> str:
    """A raw text that can be kept, what is no text written out."""
    return raw.encode("utf-8", errors="backslashreplace").decode()


def _widen(target: Path, width: int) -> None:
    """Give every line the columns that only later records have."""
    csv.field_size_limit(1 << 30)
    wider = target.with_suffix(".wider")
    with target.open(encoding="utf-8", newline="") as file, wider.open("w", encoding="utf-8", newline="") as made:
        writer = csv.writer(made, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for number, *cells in csv.reader(file):
            writer.writerow([number, *cells, *[""] * (width - len(cells))])
    shutil.move(wider, target)
