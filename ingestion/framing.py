"""Framing: delivered bytes become rectangular UTF-8 lines; what is broken as a row is set aside with its line and reason.

A cheap scan finds files that are clean as they are; only the others are rewritten, record by record.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat

BLOCK = 1 << 18  # bytes that are looked at together; they stay in the cache of a core
BYTES_PER_CHARACTER = 8  # UTF-8, and each quote doubled
LONGEST_LINE = 1 << 26  # bytes; a file without line ends is not taken into memory
SPARE = 1000  # for the record number and quotes of a line
NUL_SHOWN = "\\x00"
ONE_BYTE_ENDS = ("utf-8", "cp1252", "iso8859-1", "latin-1")  # a line feed is one byte and nothing else's part
LINE_FEED, FIRST_SIGN, LAST_SIGN = 10, 33, 126  # signs of ASCII that are no blanks
FOOTER = "A footer line: a control total, not a record."


@dataclass(frozen=True)
class RejectedRow:
    """A row that is not a record: its record number, physical line, raw text and why; the canonical texts of the values that
    could be read, by leaf name, where it has cells."""

    n: int
    line: int
    raw: str
    reason: str
    record: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Framed:
    """A clean file. Its first column is the record number when `numbered`; else records count from 1 in file order.

    `longest` bounds the bytes of a line.
    """

    path: Path
    received: int
    rejected: Sequence[RejectedRow]
    numbered: bool
    delimiter: str
    quote: str
    header_lines: int
    longest: int


@dataclass(frozen=True)
class Located:
    """Where a record stands in the delivered file."""

    line: int
    raw: str


@dataclass(frozen=True)
class FileRow:
    """One piece of the file: a record's cells, or why it is none."""

    line: int
    raw: str
    cells: list[str] | None
    reason: str = ""
    is_footer: bool = False


def frame(path: Path, format_: FileFormat, folder: Path) -> Framed:
    """Make a file clean. Every row of it is either framed or rejected: `received` counts both."""
    if (clean := _clean_lines(path, format_)) is not None:
        above = _lines_above(format_)
        return Framed(
            path, clean.count - above, (), numbered=False, delimiter=format_.delimiter, quote=format_.quote,
            header_lines=above, longest=clean.longest,
        )  # fmt: skip
    return _rewrite(path, format_, folder / "framed.csv")


def _rewrite(path: Path, format_: FileFormat, target: Path) -> Framed:
    rejected: list[RejectedRow] = []
    number = kept = longest = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, row in enumerate(records(path, format_), 1):
            if row.cells is None:
                rejected.append(RejectedRow(number, row.line, row.raw, row.reason))
            else:
                kept += 1
                longest = max(longest, len(row.raw))
                writer.writerow([number, *row.cells])
    if kept + len(rejected) != number:
        raise AssertionError("A row was lost in framing.")
    return Framed(
        target, number, rejected, numbered=True, delimiter=",", quote='"', header_lines=0,
        longest=BYTES_PER_CHARACTER * longest + SPARE,
    )  # fmt: skip


def locate(path: Path, format_: FileFormat, n: int) -> Located:
    """The physical line (from 1) and raw text of record `n`; IndexError when there is none."""
    return _plain_record(path, format_, n) or located(records(path, format_), n)


def located(rows: Iterator[FileRow], n: int) -> Located:
    """The place and raw text of row `n` (from 1) of a walk; IndexError when there is none."""
    row = next(islice(rows, n - 1, n), None) if n > 0 else None
    if row is None:
        raise IndexError(n)
    return Located(row.line, row.raw)


def _plain_record(path: Path, format_: FileFormat, n: int) -> Located | None:
    """Record `n`, found by counting line ends; None when a line before it is odd, IndexError when there is none."""
    if n < 1 or format_.encoding not in ONE_BYTE_ENDS:
        return None
    line, before = n + _lines_above(format_), 0
    for block in _whole_lines(path):
        count = _rows_in(block, format_, before)
        if count is None:
            return None
        if before + count >= line:
            part = block.split(b"\n", line - before)[line - before - 1]
            return Located(line, _decoded(line, part.removesuffix(b"\r"), format_.encoding)[1])
        before += count
    raise IndexError(n)


def _rows_in(block: bytes, format_: FileFormat, before: int) -> int | None:
    """How many lines a block has if each of them is a row; None when one may be blank or go on in the next."""
    if (count := _sure_rows(block, format_.quote.encode())) is not None:
        return count
    checked = _plain_lines(block, format_, before) if _may_be_clean(format_) else None
    return checked.count if checked else None


def _sure_rows(block: bytes, quote: bytes) -> int | None:
    """The same by what takes least time: how lines begin, and where quotes stand. What begins with no sign of ASCII may be blank."""
    octets = np.frombuffer(block, np.uint8)
    ends = octets == LINE_FEED
    begins_blank = (octets - FIRST_SIGN > LAST_SIGN - FIRST_SIGN)[1:] & ends[:-1]
    is_odd_first = not FIRST_SIGN <= block[0] <= LAST_SIGN
    if is_odd_first or begins_blank.any() or len(quote) != 1 or _has_odd_ends(block):
        return None
    if quote in block:
        quotes = np.searchsorted(np.flatnonzero(octets == quote[0]), np.flatnonzero(ends))
        if (quotes % 2).any():
            return None
    return int(np.count_nonzero(ends))


def _has_odd_ends(block: bytes) -> bool:
    """Whether lines end elsewhere than at a line feed."""
    return b"\r" in block and block.count(b"\r") != block.count(b"\r\n")


def _lines_above(format_: FileFormat) -> int:
    return format_.skip + (1 if format_.header else 0)


def records(path: Path, format_: FileFormat) -> Iterator[FileRow]:
    """The rows after the header, blank lines left out, the footer last as rows without cells."""
    lines = physical_lines(path, format_)
    next_line = _skip_header(lines, format_)
    body = [] if next_line is None else _group(lines, next_line, format_)
    width = len(format_.columns)
    held: list[FileRow] = []
    for row in body:
        held.append(_fitted(row, width))
        if len(held) > format_.footer_rows:
            yield held.pop(0)
    for row in held:
        yield FileRow(row.line, row.raw, None, FOOTER, is_footer=True)


def physical_lines(path: Path, format_: FileFormat) -> Iterator[tuple[int, str, str]]:
    """Physical lines: number, text, and why the text cannot be trusted. LF, CRLF and CR all end a line."""
    if format_.encoding.startswith("utf-16") or format_.encoding.startswith("utf-32"):
        yield from _decoded_lines(path, format_.encoding)
        return
    number = 0
    encoding = "utf-8" if format_.encoding == "utf-8-sig" else format_.encoding
    with path.open("rb") as file:
        while block := file.readline(LONGEST_LINE):
            if len(block) == LONGEST_LINE and block[-1:] != b"\n":
                raise UnreadableFile(
                    f"Line {number + 1} is longer than {LONGEST_LINE:,} bytes, so these are no lines of records."
                )
            for part in block.rstrip(b"\n").removesuffix(b"\r").split(b"\r"):
                number += 1
                yield _decoded(number, part.removeprefix(b"\xef\xbb\xbf") if number == 1 else part, encoding)


def _decoded_lines(path: Path, encoding: str) -> Iterator[tuple[int, str, str]]:
    with path.open("r", encoding=encoding, errors="replace", newline=None) as file:
        for number, line in enumerate(file, 1):
            bad = "Its bytes do not decode as " + encoding + "." if "\ufffd" in line else ""
            yield number, line.rstrip("\n").removeprefix("\ufeff"), bad


def _decoded(number: int, part: bytes, encoding: str) -> tuple[int, str, str]:
    try:
        text = part.decode(encoding)
    except UnicodeDecodeError as error:
        shown = " ".join(f"{byte:02x}" for byte in part[error.start : error.end])
        return number, part.decode(encoding, errors="backslashreplace"), f"Byte {shown} is no {encoding}."
    if "\0" in text:
        return number, text.replace("\0", NUL_SHOWN), "It holds a NUL byte, which no text may."
    return number, text, ""


def _skip_header(lines: Iterator[tuple[int, str, str]], format_: FileFormat) -> tuple[int, str, str] | None:
    """Go past the preamble and the header, which may stand over several lines; gives the line after it."""
    for number, text, _ in lines:
        if number <= format_.skip:
            continue
        if format_.header is None:
            return number, text, _
        open_ = text.count(format_.quote) % 2 == 1
        while open_:
            _, text, _ = next(lines, (0, format_.quote, ""))
            open_ = text.count(format_.quote) % 2 == 0
        return next(lines, None)
    return None


def _group(
    lines: Iterator[tuple[int, str, str]], first: tuple[int, str, str], format_: FileFormat
) -> Iterator[FileRow]:
    """Physical lines as records: a quoted line end joins lines."""
    waiting: list[tuple[int, str, str]] = [first]
    while waiting or (line := next(lines, None)) is not None:
        number, text, bad = waiting.pop(0) if waiting else line  # type: ignore[misc]
        if bad:
            yield FileRow(number, text, None, bad)
        elif not text.strip():
            continue
        elif text.count(format_.quote) % 2 == 0 or _closed_cells(format_.delimiter, format_.quote).fullmatch(text):
            yield FileRow(number, text, cells_of(text, format_))
        else:
            yield from _joined(number, text, lines, format_)


@cache
def _closed_cells(delimiter: str, quote: str) -> re.Pattern[str]:
    """Cells whose quotes are all closed. A quote inside a cell that did not begin with one is a character like others."""
    mark, quoted = re.escape(delimiter), re.escape(quote)
    cell = rf"(?:{quoted}(?:[^{quoted}]|{quoted}{quoted})*+{quoted}[^{mark}]*+|(?!{quoted})[^{mark}]*+)"
    return re.compile(rf"{cell}(?:{mark}{cell})*+")


def _joined(number: int, text: str, lines: Iterator[tuple[int, str, str]], format_: FileFormat) -> Iterator[FileRow]:
    """A record whose quote stays open at the line end; when it never fits, each of its lines is set aside."""
    block, broken = [(number, text)], ""
    for at, more, bad in lines:
        block.append((at, more))
        broken = broken or bad
        if more.count(format_.quote) % 2 == 1:
            raw = "\n".join(part for _, part in block)
            cells = None if broken else cells_of(raw, format_)
            if cells is not None and len(cells) == len(format_.columns):
                yield FileRow(number, raw, cells)
                return
            break
    else:
        broken = f"A quote was opened on line {number} and never closed."
    broken = broken or f"A quote was opened on line {number}; with its closing the cells do not fit the header."
    for at, part in block:
        if part.strip():
            yield FileRow(at, part, None, broken)


def cells_of(raw: str, format_: FileFormat) -> list[str]:
    """The cells of a record's raw text."""
    csv.field_size_limit(1 << 30)
    reader = csv.reader(
        raw.split("\n") if "\n" not in raw else _kept(raw), delimiter=format_.delimiter, quotechar=format_.quote
    )
    return next(reader, [])


def _kept(raw: str) -> list[str]:
    """Lines with their ends, so that a quoted line end stays in its value."""
    return [line + "\n" for line in raw.split("\n")]


def _fitted(row: FileRow, width: int) -> FileRow:
    if row.cells is None or len(row.cells) == width:
        return row
    return FileRow(row.line, row.raw, None, f"It has {len(row.cells)} cells where {width} were expected.")


@dataclass(frozen=True)
class _Lines:
    """How many lines, and the bytes of the longest."""

    count: int
    longest: int


def _may_be_clean(format_: FileFormat) -> bool:
    plain = format_.encoding == "utf-8" and not format_.footer_rows
    return plain and len(format_.delimiter) == 1 and len(format_.columns) > 1


def _clean_lines(path: Path, format_: FileFormat) -> _Lines | None:
    """The lines of a file that DuckDB can read as it is; None when anything in it is odd."""
    if not _may_be_clean(format_):
        return None
    count = longest = 0
    for block in _whole_lines(path):
        checked = _plain_lines(block, format_, count)
        if checked is None:
            return None
        count, longest = count + checked.count, max(longest, checked.longest)
    return _Lines(count, longest)


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The file in blocks that end with a line."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
    if rest:
        yield rest + b"\n"


def _plain_lines(block: bytes, format_: FileFormat, before: int) -> _Lines | None:
    """The lines of a block when every one of them has the same number of plain cells and is UTF-8."""
    if b'"' in block or b"\r" in block or b"\0" in block or format_.quote.encode() in block:
        return None
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return None
    octets = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(octets == 10)
    marks = np.flatnonzero(octets == ord(format_.delimiter))
    counts = np.diff(np.searchsorted(marks, ends), prepend=0)
    checked = counts[max(format_.skip - before, 0) :]
    if not (checked == len(format_.columns) - 1).all():
        return None
    return _Lines(len(ends), int(np.diff(ends, prepend=-1).max()))
