"""The business date of a file: as given, or as the source says, from its name or a column."""

import datetime as dt
from itertools import islice
from pathlib import Path

from ingestion import lake
from ingestion.errors import IngestionError
from ingestion.files import detect, records
from ingestion.lookup import lookup
from ingestion.models import Source
from ingestion.normalize import column_position
from ingestion.unpacking import unpacked

PATTERNS = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%Y")
LOOKED_AT = 1_000  # records whose date column has to agree


class NoDate(IngestionError):
    """A text that is no date."""


def given_date(text: str) -> dt.date:
    """A date as people and programs give it with a delivery, a run or a filter. NoDate says how it is written."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise NoDate(f"{text[:40]!r} is no date such as 2026-11-20.") from None


def business_date_of(source: Source, file: Path, name: str, given: dt.date | None, today: dt.date) -> dt.date:
    """The date of a file. What the source's rule reads wins over today; IngestionError when it is not the given one."""
    rule = source.business_date or {}
    if rule.get("from_name"):
        read, where = _from_name(str(rule["from_name"]), name), f"its name {name}"
    elif rule.get("column"):
        read, where = _from_column(source, str(rule["column"]), file), f"its column {rule['column']}"
    else:
        return given or today
    if given is not None and given != read:
        raise IngestionError(
            f"{name} is of {read} by {where}, but {given} was given. Leave the date out, or correct it."
        )
    return read


def _from_name(pattern: str, name: str) -> dt.date:
    """The date in the first group of the pattern, or in all that it matches."""
    with lookup() as duck:
        groups = duck.execute("SELECT regexp_extract(?, ?, 1), regexp_extract(?, ?)", [name, pattern] * 2).fetchall()[0]
    text = next(filter(None, groups), "")
    if not text:
        raise IngestionError(f"The name {name} does not fit {pattern!r}, which its business date is read with.")
    return _date(text, f"the name {name}")


def _from_column(source: Source, column: str, file: Path) -> dt.date:
    folder = lake.work_folder("business-date")
    try:
        raw = unpacked(file, folder)
        format_ = detect(raw, source.format)
        place = column_position(format_, column)
        if place is None:
            raise IngestionError(f"The file has no column {column!r}, which its business date is read from.")
        cells = (row.cells for row in records(raw, format_) if row.cells is not None)
        texts = dict.fromkeys(row[place].strip() for row in islice(cells, LOOKED_AT))
    finally:
        lake.discard(folder)
    if len(texts) != 1:
        found = " and ".join(list(texts)[:2]) or "nothing"
        raise IngestionError(f"The column {column} has to hold one business date in all records; it holds {found}.")
    return _date(next(iter(texts)), f"the column {column}")


def _date(text: str, where: str) -> dt.date:
    """A date in one of the usual patterns; where two fit, the file has to be delivered with a date."""
    found = {date for pattern in PATTERNS if (date := _parsed(text, pattern))}
    if len(found) != 1:
        raise IngestionError(
            f"{text!r} in {where} is no business date that can be read. Give the date with the delivery."
        )
    return found.pop()


def _parsed(text: str, pattern: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None
