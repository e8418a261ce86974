"""A delivered file of any type: its format, its rows made clean, and where each of them stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ingestion import detection, framing
from ingestion.errors import UnreadableFile
from ingestion.file_format import NAMED_VALUES, FileFormat
from ingestion.framing import FileRow, Framed, Located, RejectedRow, located
from ingestion.readers import camt053, excel, fixed, json_document, mt940, ndjson, parquet, xml_records
from ingestion.readers.framed import frame_rows, storable
from ingestion.readers.kinds import type_of
from ingestion.readers.reader import Reader, Reading

READERS: Mapping[str, Reader] = {
    "excel": excel, "fixed": fixed, "json": json_document, "ndjson": ndjson, "xml": xml_records, "mt940": mt940, "parquet": parquet, "camt053": camt053,
}  # fmt: skip


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The format of a file's bytes. UnreadableFile says why there is none; `questions` say what a person must settle."""
    if path.stat().st_size == 0:
        raise UnreadableFile("The file is empty (0 bytes). Deliver it again with its rows.")
    found = type_of(path)
    wanted = str(declared.get("type") or found)
    try:
        if wanted not in READERS:
            return detection.detect(path, declared)
        format_ = READERS[wanted].detect(path, declared)
    except UnreadableFile as error:
        if wanted in (found, "csv"):
            raise
        raise UnreadableFile(f"{error} The format says `type: {wanted}`, but the content looks like {found}.") from None
    optional = tuple(str(it) for it in declared.get("optional") or ())  # type: ignore[attr-defined]
    return replace(format_, columns=tuple(dict.fromkeys((*format_.columns, *optional))))


def frame(
    path: Path, format_: FileFormat, folder: Path, wanted: Iterable[str] = (), most: int | None = None
) -> tuple[Framed, FileFormat]:  # fmt: skip
    """The rows made clean, and the format completed by what reading the whole file (or its `most` first rows) showed.

    `wanted` are the columns that a mapping reads; where only records have names and there is none, they are taken to be there.
    """
    if format_.type not in READERS and most is None:
        return framing.frame(path, format_, folder), format_
    reading = Reading(format_, wanted)
    framed = frame_rows(islice(_rows(path, format_, reading), most), reading, folder)
    notes = reading.told()
    if framed.received == len(framed.rejected) and format_.type in NAMED_VALUES:
        reading.columns |= dict.fromkeys(reading.wanted)
    if not framed.received:
        notes = [*notes, "The file holds no record."]
    return framed, replace(
        format_, columns=tuple(reading.columns), notes=(*format_.notes, *notes), mismatches=tuple(reading.mismatches)
    )


def records(path: Path, format_: FileFormat) -> Iterator[FileRow]:
    """The rows one by one, the footer last as rows without cells."""
    return _rows(path, format_, Reading(format_))


def _rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    reader = READERS.get(format_.type)
    return reader.rows(path, format_, reading) if reader else framing.records(path, format_)


def locate(path: Path, format_: FileFormat, n: int) -> Located:
    """The place (from 1) and raw text of record `n`; IndexError when there is none."""
    reader = READERS.get(format_.type)
    if reader is None:
        return framing.locate(path, format_, n)
    if hasattr(reader, "locate"):
        return reader.locate(path, format_, n)
    return located(records(path, format_), n)


def with_lines(path: Path, format_: FileFormat, rejected: Sequence[RejectedRow]) -> list[RejectedRow]:
    """Rows rejected by what they hold, with their places and raw texts, in one walk through the file."""
    wanted = {row.n: row for row in rejected}
    if not wanted:
        return []
    found = (
        replace(wanted[n], line=row.line, raw=storable(row.raw))
        for n, row in enumerate(records(path, format_), 1)
        if n in wanted
    )
    return list(islice(found, len(wanted)))
