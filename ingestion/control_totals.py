"""Control totals: what a file's footer or its manifest says it holds, against what arrived."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ingestion.errors import IngestionError
from ingestion.file_format import FileFormat
from ingestion.files import records
from ingestion.framing import Framed, cells_of
from ingestion.lookup import lookup
from ingestion.mapping import FieldMapping
from ingestion.normalize import column_position, source_sql
from ingestion.sql_text import literal

DIGITS, PLACES = 27, 10  # of a sum, before and behind the point


class ControlTotalMismatch(IngestionError):
    """A declared sum or count is not that of the records: something was lost on the way, or added."""


@dataclass(frozen=True)
class Declared:
    """What whoever delivers a file says of it: how many records it has, and sums by field or column."""

    records: int | None = None
    sums: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def given(cls, records: int | None, sums: Iterable[str]) -> "Declared | None":
        """From a count and texts such as `amount=1234.50`; None where nothing is declared. IngestionError for what is no sum."""
        told = [_sum_of(text) for text in sums]
        found = dict(told)
        if len(found) < len(set(told)):
            raise IngestionError("The manifest gives two sums for one field. Give one for each.")
        return cls(records, found) if found or records is not None else None

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> "Declared | None":
        """From JSON."""
        if document is None:
            return None
        return cls(document["records"], {name: Decimal(text) for name, text in document["sums"].items()})

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        return {"records": self.records, "sums": {name: f"{amount:f}" for name, amount in self.sums.items()}}


def _sum_of(text: str) -> tuple[str, Decimal]:
    name, _, amount = text.replace("\0", "").rpartition("=")
    try:
        value = Decimal(amount.strip())
        if name.strip() and _can_be_summed(value):
            return name.strip(), value
    except InvalidOperation:
        pass
    raise IngestionError(f"{text[:100]!r} is no control total; write a field and its sum, such as amount=1234.50.")


def _can_be_summed(value: Decimal) -> bool:
    """Looked at without arithmetic, which 1e99999999 overflows."""
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES and value.adjusted() < DIGITS


def check_declared(
    framed: Framed, format_: FileFormat, mappings: Mapping[str, FieldMapping], declared: Declared | None
) -> list[str]:
    """A note per total of the manifest that fits; ControlTotalMismatch names every one that does not."""
    if declared is None:
        return []
    unread = len(framed.rejected)
    notes: list[str] = []
    wrong: list[str] = []
    if declared.records is not None:
        _hold(Decimal(declared.records), Decimal(framed.received), "records", notes, wrong)
    for name, total in declared.sums.items():
        of_column = (it for it in mappings.values() if it.column == name)
        mapping = mappings.get(name) or next(of_column, FieldMapping("", column=name))
        place = column_position(format_, mapping.column) if mapping.column else None
        if place is None:
            raise ControlTotalMismatch(
                f"The manifest sums {name!r}, which is neither a mapped field nor a column of the file."
            )
        _hold(total, _sum_of_column(framed, format_, place, mapping), f"{name} in all", notes, wrong)
    if wrong:
        lost = f" {unread} rows could not be read and are in no sum." if unread else ""
        raise ControlTotalMismatch(f"{' '.join(wrong)}{lost} Ask for the file again; nothing was stored.")
    return notes


def _hold(declared: Decimal, found: Decimal, what: str, notes: list[str], wrong: list[str]) -> None:
    if declared == found:
        notes.append(f"The manifest agrees: {found:,f} {what}.")
    else:
        wrong.append(f"The manifest says {declared:,f} {what}, but the file has {found:,f}.")


def _sum_of_column(framed: Framed, format_: FileFormat, place: int, mapping: FieldMapping) -> Decimal:
    """The exact sum of a column's numbers; what is no number counts nothing, as in a footer."""
    text = f"trim(c{place})"
    for mark, stands in ((mapping.group, ""), (mapping.decimal, ".")):
        text = f"replace({text}, {literal(mark)}, {literal(stands)})" if mark else text
    with lookup() as duck:
        query = f"SELECT sum(TRY_CAST({text} AS DECIMAL(38,{PLACES}))) FROM {source_sql(framed, format_)}"
        return (duck.execute(query).fetchall()[0][0] or Decimal(0)).normalize() + 0


def check_totals(path: Path, format_: FileFormat, mappings: Mapping[str, FieldMapping]) -> list[str]:
    """A note per total that fits; ControlTotalMismatch for one that does not. Nothing without a declared footer total."""
    if not format_.footer_rows or not (format_.footer_sum or format_.footer_count):
        return []
    place = column_position(format_, format_.footer_sum) if format_.footer_sum else None
    summed = (it for it in mappings.values() if it.column and column_position(format_, it.column) == place)
    mapping = next(summed, FieldMapping(""))
    if format_.footer_sum and place is None:
        raise IngestionError(f"The file has no column {format_.footer_sum!r}, which its footer sums.")
    count, total, footers = 0, Decimal(0), list[str]()
    for row in records(path, format_):
        if row.cells is None:
            footers += [row.raw] if row.is_footer else []
            continue
        count += 1
        total += _number(row.cells[place], mapping) or Decimal(0) if place is not None else Decimal(0)
    cells = (cell for footer in footers for cell in _parts(footer, format_))
    words = (word for cell in cells for word in re.findall(r"[-+]?\d[\d.,']*", cell))
    footer = "\n".join(footers)
    numbers = {value for word in words if (value := _number(word, mapping)) is not None}
    notes = []
    if format_.footer_count:
        notes.append(_held("records", Decimal(count), numbers, footer))
    if format_.footer_sum:
        notes.append(_held(f"{format_.footer_sum} in all", total, numbers, footer))
    return notes


def _parts(footer: str, format_: FileFormat) -> list[str]:
    return cells_of(footer, format_) if format_.delimiter else [footer]


def _held(what: str, found: Decimal, numbers: set[Decimal], footer: str) -> str:
    if found not in numbers:
        raise ControlTotalMismatch(
            f"The footer says {footer[:200]!r}, but the file has {found:,f} {what}. Ask for the file again; nothing was stored."
        )
    return f"The footer agrees: {found:,f} {what}."


def _number(text: str, mapping: FieldMapping) -> Decimal | None:
    plain = text.strip().replace(mapping.group, "") if mapping.group else text.strip()
    try:
        return Decimal(plain.replace(mapping.decimal, "."))
    except InvalidOperation:
        return None
