"""Tables as files: formats that a spreadsheet opens without running anything in them, written a batch of lines at a time."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from ingestion.lookup import lookup
from ingestion.spreadsheets import plain, safe
from ingestion.sql_text import literal

Line = Sequence[object]
Table = tuple[Sequence[str], Iterator[Line]]
BATCH = 10_000
SHEET_ROWS = (1 << 20) - 1  # lines below the header of a sheet of Excel


class BadExport(ValueError):
    """An export that cannot be made; the text says what there is."""


def write_table(target: Path, made: Callable[[], Table]) -> int:
    """Write a table to a file, in the format of its suffix. Gives the number of lines."""
    if (suffix := target.suffix.lower()) not in WRITERS:
        raise BadExport(f"There is no format {target.suffix!r}; there is {', '.join(WRITERS)}.")
    if not target.absolute().parent.is_dir():
        raise BadExport(f"There is no folder {target.absolute().parent}.")
    try:
        target.open("ab").close()  # before the work, and for every writer in the same words
    except OSError as error:
        raise BadExport(f"{target} could not be written: {error.strerror}.") from None
    return WRITERS[suffix](target, *made())


def _csv(target: Path, columns: Sequence[str], rows: Iterable[Line]) -> int:
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([safe(name) for name in columns])
        for row in rows:
            writer.writerow([safe(value) for value in row])
            count += 1
    return count


def _xlsx(target: Path, columns: Sequence[str], rows: Iterable[Line]) -> int:
    import xlsxwriter  # here, so that no process loads it to start

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(target), options) as book:
        sheet = book.add_worksheet("export")
        sheet.write_row(0, 0, [safe(name) for name in columns])
        for count, row in enumerate(rows, 1):
            for at, value in enumerate(row):
                is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
                put = sheet.write_number(count, at, value) if is_number else sheet.write_string(count, at, safe(value))
                if put:
                    raise BadExport(
                        f"Line {count} does not fit into a sheet of Excel. Export as .csv or .parquet instead."
                    )
    return count


def _json(target: Path, columns: Sequence[str], rows: Iterable[Line]) -> int:
    count = 0
    with target.open("w", encoding="utf-8") as file:
        file.write("[")
        for count, row in enumerate(rows, 1):
            file.write("\n" if count == 1 else ",\n")
            file.write(json.dumps(dict(zip(columns, row, strict=True)), default=str, ensure_ascii=False))
        file.write("\n]\n")
    return count


def _parquet(target: Path, columns: Sequence[str], rows: Iterable[Line]) -> int:
    import pandas as pd  # here, so that no process loads it to start

    count, rows = 0, iter(rows)
    named = ", ".join(f'"{name}" VARCHAR' for name in columns)
    texts = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in columns)
    with lookup() as duck:
        duck.execute(f"CREATE OR REPLACE TEMP TABLE told ({named})")
        while batch := [[None if it is None else plain(it) for it in row] for row in islice(rows, BATCH)]:
            duck.register("batch", pd.DataFrame(batch, columns=list(columns), dtype=object))
            duck.execute(f"INSERT INTO told SELECT {texts} FROM batch")
            count += len(batch)
        duck.execute(f"COPY told TO {literal(str(target))} (FORMAT parquet)")
        duck.execute("DROP TABLE told")
    return count


def _xml(target: Path, columns: Sequence[str], rows: Iterable[Line]) -> int:
    count = 0
    with target.open("w", encoding="utf-8") as file:
        made = XMLGenerator(file, encoding="utf-8")
        made.startDocument()
        made.startElement("export", AttributesImpl({}))
        for row in rows:
            count += 1
            made.startElement("line", AttributesImpl({}))
            for name, value in zip(columns, row, strict=True):
                made.startElement("value", AttributesImpl({"name": name}))
                made.characters(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", plain(value)))
                made.endElement("value")
            made.endElement("line")
        made.endElement("export")
        made.endDocument()
    return count


WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[Line]], int]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".parquet": _parquet,
    ".json": _json,
    ".xml": _xml,
}
