"""JSON: one list of objects, or an object that holds the list at a path. The document is whole, or it is refused."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow
from ingestion.readers.json_stream import Element, Stream, elements, list_of_objects
from ingestion.readers.json_values import UnfitRecord, flat
from ingestion.readers.reader import Reading, sampled, steps
from ingestion.readers.texts import unicode_encoding


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The path to the records, which a person confirms where the definition does not name it, and their columns."""
    encoding = unicode_encoding(path, declared)
    records, questions = declared.get("records"), []
    if records is None and (found := _found_path(path, encoding)):
        records = ".".join(found) if not any("." in it for it in found) else "/".join(found)
        questions = [
            f"The document is one object, and its list {records!r} seems to hold the records; write `records: {records}` "
            "in the format (`type: ndjson` where the object is one record), or deliver with --accept."
        ]
    options = {"records": str(records)} if records else {}
    format_ = FileFormat(encoding, "", "", None, 0, (), questions=tuple(questions), type="json", options=options)
    return replace(format_, columns=sampled(sys.modules[__name__], path, format_))


def _found_path(path: Path, encoding: str) -> tuple[str, ...]:
    with path.open(encoding=encoding, newline="") as file:
        stream = Stream(file)
        if stream.peek() != "{":
            return ()
        found = list_of_objects(stream)
    if found is None:
        raise UnreadableFile(
            "The JSON document is one object and holds no list of records. Deliver a list, or an object a line as NDJSON."
        )
    return found


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """The records of the list."""
    with path.open(encoding=format_.encoding, newline="") as file:
        for element in elements(Stream(file), steps(format_.options.get("records"))):
            yield _row(element, reading)


def _row(element: Element, reading: Reading) -> FileRow:
    try:
        return FileRow(element.line, element.raw, reading.cells(flat(element.value)))
    except UnfitRecord as error:
        return FileRow(element.line, element.raw, None, str(error))
    except RecursionError:
        return FileRow(element.line, element.raw, None, "It is nested too deeply to be a record.")
