"""What every reader is: two functions over a file, and what a walk through it finds out on the way."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ingestion.errors import UnreadableFile
from ingestion.file_format import MOST_COLUMNS, FileFormat
from ingestion.framing import FOOTER, FileRow
from ingestion.readers.statements import Statement, disagreeing, told_of

SAMPLED_RECORDS = 1_000
NAMED = 20  # columns in a note


class Reading:
    """A walk through a file: its columns, which may grow from record to record, and its notes.

    `wanted` are the columns that a mapping reads; in others a reader may let a fault pass.
    """

    def __init__(self, format_: FileFormat, wanted: Iterable[str] = ()) -> None:
        self.columns = dict.fromkeys(format_.columns)
        self.wanted = tuple(dict.fromkeys(wanted))
        self.notes: list[str] = []
        self.mismatches: list[str] = []
        self._late: list[str] = []

    def cells(self, values: Mapping[str, str]) -> list[str]:
        """The cells of named values in the order of the columns; a new name becomes a column at the end."""
        if not values.keys() <= self.columns.keys():
            self._grow(values)
        return [values.get(name, "") for name in self.columns]

    def _grow(self, values: Mapping[str, str]) -> None:
        new = [name for name in values if name not in self.columns]
        if len(self.columns) + len(new) > MOST_COLUMNS:
            raise UnreadableFile(
                f"The records have more than {MOST_COLUMNS:,} different columns, as if names were values. "
                "Deliver them with the same names in every record."
            )
        self._late += new
        self.columns |= dict.fromkeys(new)

    def is_wanted(self, column: str) -> bool:
        """Whether a fault in the column matters; without a mapping every one does."""
        return not self.wanted or column in self.wanted

    def balance(self, statements: list[Statement]) -> None:
        """Hold the statements' balances against their entries."""
        self.notes += told_of(statements)
        self.mismatches += disagreeing(statements)

    def told(self) -> list[str]:
        """The notes, with the columns that stood in no sampled record."""
        if not self._late:
            return self.notes
        named = ", ".join(self._late[:NAMED]) + (" ..." if len(self._late) > NAMED else "")
        return [*self.notes, f"Extra columns, which the first records do not have: {named}."]


class Reader(Protocol):
    """How files of one type are read. UnreadableFile says in a sentence where and why one cannot be."""

    def detect(self, path: Path, declared: Mapping[str, object]) -> FileFormat:
        """The format of a file: its columns as far as its first records show them, notes, and questions for a person."""

    def rows(self, path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
        """Every record in file order with its place and raw text: its cells, or why it is none."""


def sampled(reader: Reader, path: Path, format_: FileFormat) -> tuple[str, ...]:
    """The columns that the first records have."""
    reading = Reading(format_)
    for _, _row in zip(range(SAMPLED_RECORDS), reader.rows(path, format_, reading), strict=False):
        pass
    return tuple(reading.columns)


def steps(records: object) -> tuple[str, ...]:
    """The names of a records path; with a slash in it a point belongs to a name."""
    text = str(records or "").strip("/")
    return tuple(filter(None, text.split("/" if "/" in text else ".")))


def footed(rows: Iterable[FileRow], format_: FileFormat) -> Iterator[FileRow]:
    """The rows, the last ones as a footer without cells."""
    held: list[FileRow] = []
    for row in rows:
        held.append(row)
        if len(held) > format_.footer_rows:
            yield held.pop(0)
    for row in held:
        yield FileRow(row.line, row.raw, None, FOOTER, is_footer=True)
