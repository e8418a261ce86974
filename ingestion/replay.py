"""Replaying quarantined rows: their cells as they came and as repaired, what would become of them, their delivery.

A repaired row is one JSON object of texts, its columns in the order of the delivered file; so a row of a workbook, a
statement or a delimited file is replayed alike, and the source's mapping reads it as it reads the file.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ingestion import lake
from ingestion.deliveries import Accepted, accept_delivery, read_bytes
from ingestion.errors import IngestionError
from ingestion.file_format import FileFormat
from ingestion.files import records
from ingestion.framing import cells_of
from ingestion.lookup import lookup
from ingestion.models import Delivery, Normalization, QuarantinedRow, Repair
from ingestion.models import Mapping as MappingVersion
from ingestion.readers.json_values import DECODER, UnfitRecord, flat
from ingestion.sql_text import literal, parquet
from ingestion.unpacking import unpacked

ORIGIN = "_repaired_row"  # the last column of a replayed record; no mapping reads it
LARGEST_WALK = 20_000_000  # bytes of a file that is read again for the cells of one row


@dataclass(frozen=True)
class Cells:
    """A raw line's cells by column, as far as it can be cut into any, and what is left over behind the last column."""

    by_column: Mapping[str, str | None]
    beyond: Sequence[str] = ()


@dataclass(frozen=True)
class Tried:
    """What cells would become: the key and values of a record (of those flagged the raw text), or why they are none."""

    key: str = ""
    values: Mapping[str, str | None] | None = None
    flagged: Sequence[str] = ()
    reason: str = ""


def cells_of_row(row: QuarantinedRow) -> Cells:
    """The cells of a quarantined row in the order of the file's columns."""
    format_ = FileFormat.from_document(row.normalization.format)
    columns = [name for name in format_.columns if name != ORIGIN]
    if format_.type == "ndjson":
        named = _named(row.raw)
        return Cells({name: None if named is None else named.get(name, "") for name in columns})
    found = cells_of(row.raw, format_) if format_.type == "csv" else _walked(row, format_)
    padded = [*found[: len(columns)], *[None] * (len(columns) - len(found))]
    return Cells(dict(zip(columns, padded, strict=True)), found[len(columns) :])


def _named(raw: str) -> Mapping[str, str] | None:
    try:
        return flat(DECODER.decode(raw))
    except (json.JSONDecodeError, UnfitRecord, RecursionError):
        return None


def _walked(row: QuarantinedRow, format_: FileFormat) -> Sequence[str]:
    """The cells as the file's reader gives them; none of a row that it cannot read, or where the file is too large or gone."""
    delivery = row.normalization.delivery
    file = lake.local(delivery.path)
    if delivery.size > LARGEST_WALK or not file.exists():
        return ()
    folder = lake.work_folder("quarantine")
    try:
        at = row.record_number
        found = next(islice(records(unpacked(file, folder), format_), at - 1, at), None)
    finally:
        lake.discard(folder)
    return found.cells or () if found is not None else ()


def try_cells(mapping: MappingVersion, cells: Mapping[str, str]) -> Tried:
    """What a mapping makes of cells. IngestionError where it cannot read them at all."""
    folder = lake.work_folder("trial")
    try:
        file = folder / "bytes"
        _write(file, [cells])
        made, rejected = read_bytes(file, mapping, folder, is_replay=True)
        if rejected:
            return Tried(reason=rejected[0].reason)
        return _record_of(folder / "records", mapping)
    finally:
        lake.discard(folder)


def _record_of(parquet: Path, mapping: MappingVersion) -> Tried:
    shape = mapping.source.record_type.shape()
    parts = ", ".join(f"CAST({it.column} AS VARCHAR), raw_{it.column}" for it in shape.leaves)
    with lookup() as duck:
        key, flags, *texts = duck.execute(
            f"SELECT key, coalesce(flags, ''), {parts} FROM read_parquet({literal(str(parquet))})"
        ).fetchall()[0]
    flagged = [name for name in flags.split(",") if name]
    pairs = zip(shape.leaves, texts[::2], texts[1::2], strict=True)
    return Tried(key, {leaf.name: raw if leaf.name in flagged else text for leaf, text, raw in pairs}, flagged)


def holder_of(delivery: Delivery, key: str) -> Delivery | None:
    """The delivery, this one or a later one of its source and date, whose record of the key a replay would replace."""
    works = Normalization.objects.filter(
        delivery__source=delivery.source_id, delivery__business_date=delivery.business_date,
        delivery__gte=delivery.pk, state=Normalization.State.DONE,
    )  # fmt: skip
    newest = works.select_related("delivery").order_by("-delivery_id", "-mapping__version").distinct("delivery_id")
    for work in newest:
        with lookup() as duck:
            found = duck.execute(
                f"SELECT 1 FROM read_parquet({parquet(lake.local(work.path))}) WHERE key = ? LIMIT 1", [key]
            ).fetchone()
        if found:
            return work.delivery
    return None


def deliver_repaired(origin: Delivery, repairs: Sequence[Repair], by: str) -> Delivery:
    """Make a delivery of repaired rows, in the order of the repairs, dated as the delivery that they came with."""
    folder = lake.work_folder("replay")
    try:
        file = folder / "bytes"
        _write(file, (_cells_with_origin(origin, repair) for repair in repairs))
        accepted: Accepted = accept_delivery(
            source=origin.source, file=file, business_date=origin.business_date, by=by,
            name=f"repaired-{origin.pk}.ndjson", replayed_from=origin,
        )  # fmt: skip
    finally:
        lake.discard(folder)
    if not accepted.is_new:
        raise IngestionError(f"These rows were replayed before, as {accepted.delivery}.")
    return accepted.delivery


def _cells_with_origin(origin: Delivery, repair: Repair) -> Mapping[str, str]:
    where = f"delivery {origin.pk}, record {repair.row.record_number}, repair {repair.pk}"
    return {**{cell.column: cell.value for cell in repair.cells.all()}, ORIGIN: where}


def _write(file: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
