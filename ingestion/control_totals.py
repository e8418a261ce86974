"""Control totals: what a file's footer says it holds, against what arrived."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ingestion.errors import IngestionError
from ingestion.file_format import FileFormat
from ingestion.files import records
from ingestion.framing import cells_of
from ingestion.mapping import FieldMapping
from ingestion.normalize import column_position


class ControlTotalMismatch(IngestionError):
    """A footer's sum or count is not that of the records: something was lost on the way, or added."""


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
