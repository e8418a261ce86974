"""NDJSON: an object a line. A broken line is one broken record; the others are read."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow, Located, physical_lines
from ingestion.readers.json_values import DECODER, MOST_COMMAS, UnfitRecord, flat, is_too_full
from ingestion.readers.reader import Reading, sampled
from ingestion.readers.texts import unicode_encoding


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The columns of the first records."""
    format_ = FileFormat(unicode_encoding(path, declared), "", "", None, 0, (), type="ndjson")
    if next(rows(path, format_, Reading(format_)), None) is None:
        raise UnreadableFile("The file holds only blank lines and no record. Deliver it again with its rows.")
    return replace(format_, columns=sampled(sys.modules[__name__], path, format_))


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """A row a line; blank lines are none."""
    for number, text, bad in physical_lines(path, format_):
        if bad:
            yield FileRow(number, text, None, bad)
        elif text and not text.isspace():
            yield _row(number, text, reading)


def _row(number: int, text: str, reading: Reading) -> FileRow:
    if is_too_full(text):
        return FileRow(number, text, None, f"It holds more than {MOST_COMMAS:,} values, so it is no record.")
    try:
        return FileRow(number, text, reading.cells(flat(DECODER.decode(text))))
    except json.JSONDecodeError as error:
        return FileRow(number, text, None, f"It is no JSON: {error.msg} at character {error.pos + 1}.")
    except UnfitRecord as error:
        return FileRow(number, text, None, str(error))
    except RecursionError:
        return FileRow(number, text, None, "It is nested too deeply to be a record.")


def locate(path: Path, format_: FileFormat, n: int) -> Located:
    """Record `n` without reading those before it; IndexError when there is none."""
    filled = (
        (number, text) for number, text, bad in physical_lines(path, format_) if bad or not text.isspace() and text
    )
    found = next(islice(filled, n - 1, n), None)
    if found is None:
        raise IndexError(n)
    return Located(*found)
