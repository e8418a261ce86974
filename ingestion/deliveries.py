"""Taking a delivery in: its bytes into the lake, a row for it, and its normalization."""

import datetime as dt
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ingestion import custody, drift, lake
from ingestion.alerts import raise_mismatch, raise_quarantined
from ingestion.control_totals import ControlTotalMismatch, Declared, check_declared, check_totals
from ingestion.errors import IngestionError, MissingColumn
from ingestion.file_format import NAMED_VALUES, FileFormat
from ingestion.files import detect, frame, with_lines
from ingestion.framing import Framed, RejectedRow
from ingestion.mapping import field_mappings
from ingestion.models import Delivery, Mapping, MappingProposal, Normalization, Source
from ingestion.normalize import Normalized, check_columns, normalize
from ingestion.quarantine import quarantine_rows
from ingestion.unpacking import unpacked
from ingestion.work import claim, fail, finish, give_back, heartbeat

PARTITION_ROWS = 1_000_000


@dataclass(frozen=True)
class Accepted:
    """A delivery, and whether these bytes were new."""

    delivery: Delivery
    is_new: bool


def accept_delivery(
    *,
    source: Source,
    file: Path,
    business_date: dt.date,
    by: str = "",
    name: str = "",
    replayed_from: Delivery | None = None,
    declared: Declared | None = None,
) -> Accepted:
    """Keep a file's bytes and register them; the same bytes for the same date are the delivery already held.

    `replayed_from` is the delivery whose repaired rows the file holds; `declared` what its manifest says.
    """
    if not file.is_file():
        raise IngestionError(f"There is no file {file}. Nothing was taken.")
    folder = lake.work_folder("delivery")
    try:
        copy = folder / "bytes"
        digest, size = _copy(file, copy)
        told: dict[str, object] = {
            "file_name": Path(name or file.name).name[:255],
            "received_by": by,
            "replayed_from": replayed_from,
            "declared": declared.to_document() if declared else None,
        }
        return _register(source, copy, business_date, digest, size, told)
    finally:
        lake.discard(folder)


def _copy(file: Path, copy: Path) -> tuple[str, int]:
    """Copy and hash in one pass; gives the sha256 and the size in bytes."""
    with file.open("rb") as given:
        return lake.write_hashed(iter(partial(given.read, lake.BLOCK), b""), copy)


@transaction.atomic
def _register(
    source: Source, copy: Path, business_date: dt.date, digest: str, size: int, told: dict[str, object]
) -> Accepted:
    path = f"deliveries/{source.code}/{business_date:%Y-%m-%d}/{digest}"
    delivery, is_new = Delivery.objects.get_or_create(
        source=source,
        business_date=business_date,
        sha256=digest,
        defaults={"path": path, "size": size, **told},
    )
    if not is_new and told["declared"] not in (None, delivery.declared):
        _declare(delivery, told["declared"])
    if is_new:
        lake.local(path).parent.mkdir(parents=True, exist_ok=True)
        copy.replace(lake.local(path))
        custody.seal([delivery])
    elif not lake.local(path).exists() and not hasattr(delivery, "tombstone"):
        shutil.copyfile(copy, lake.local(path))
    return Accepted(delivery, is_new)


def _declare(delivery: Delivery, declared: object) -> None:
    """Take another manifest for bytes that are held; one for bytes that were read already is refused."""
    if delivery.normalizations.filter(state=Normalization.State.DONE).exists():
        raise IngestionError(f"{delivery} was read with other control totals. Leave them out, or deliver other bytes.")
    delivery.declared = declared
    delivery.save(update_fields=["declared"])
    custody.seal([delivery])


@transaction.atomic
def plan_normalization(delivery: Delivery) -> Normalization:
    """The normalization of a delivery by the mapping that reads it now; made if it is not there yet."""
    made = Normalization.objects.filter(delivery=delivery, mapping=delivery.source.current_mapping()).first()
    return made or _planned(delivery, mapping_of(delivery))


def _planned(delivery: Delivery, mapping: Mapping) -> Normalization:
    normalization, is_new = Normalization.objects.get_or_create(
        delivery=delivery, mapping=mapping, defaults={"queue": "ingest"}
    )
    if is_new:
        custody.seal([normalization])
    return normalization


def mapping_of(delivery: Delivery) -> Mapping:
    """The mapping that reads a delivery now: its source's current one, but the last that read it where its raw bytes are
    gone, or where another version was accepted for the columns of a later delivery. Repaired rows are read as the
    delivery that they came with."""
    first = delivery.replayed_from or delivery
    read = first.normalizations.filter(state=Normalization.State.DONE).select_related("mapping")
    last = read.order_by("-mapping__version").first()
    if last is not None and (hasattr(first, "tombstone") or _columns_changed_since(last)):
        return last.mapping
    return delivery.source.current_mapping()


def _columns_changed_since(reading: Normalization) -> bool:
    return MappingProposal.objects.filter(
        state=MappingProposal.State.ACCEPTED, accepted_as__source=reading.mapping.source_id,
        accepted_as__version__gt=reading.mapping.version, normalization__delivery__gt=reading.delivery_id,
    ).exists()  # fmt: skip


@transaction.atomic
def take_as_detected(normalization: Normalization) -> None:
    """Have the detection's proposals taken as they are, since a person saw them; whoever normalizes then asks no more."""
    waiting = Normalization.objects.filter(pk=normalization.pk, state=Normalization.State.READY)
    if waiting.update(accepted=True):
        custody.seal([normalization])


def normalize_delivery(normalization: Normalization, *, accept: bool = False) -> Normalization:
    """Claim and run a normalization; a second call finds it done. `accept` takes the detection's proposals as they are.

    Raises IngestionError where the file cannot be read; the sentence is kept on the normalization too.
    """
    claimed = claim(normalization)
    if claimed is None:
        normalization.refresh_from_db()
        return normalization
    folder = lake.work_folder(f"normalization-{claimed.pk}")
    try:
        with heartbeat(claimed):
            _normalize(claimed, folder, accept=accept or bool(claimed.accepted))
    except drift.Drifted as error:
        with transaction.atomic():
            fail(claimed, str(error))
            drift.propose(claimed, error.found)
        raise
    except IngestionError as error:
        _fail(claimed, error)
        raise
    except BaseException as error:
        give_back(claimed, error)
        raise
    finally:
        lake.discard(folder)
    claimed.refresh_from_db()
    return claimed


@transaction.atomic
def _fail(work: Normalization, error: IngestionError) -> None:
    is_mismatch = isinstance(error, ControlTotalMismatch)
    fail(work, str(error), mismatches=[str(error)] if is_mismatch else None)
    if is_mismatch:
        raise_mismatch(work, timezone.now())


def _normalize(work: Normalization, folder: Path, *, accept: bool) -> None:
    delivery, mapping = work.delivery, work.mapping
    raw = unpacked(lake.checked(delivery.path, delivery.sha256), folder)
    format_ = detect(raw, _declared(mapping, is_replay=delivery.replayed_from_id is not None))
    if format_.questions and not accept:
        raise NeedsDecision(delivery, format_)
    try:
        if format_.type not in NAMED_VALUES:  # there only reading all records tells
            check_columns(format_, list(field_mappings(mapping.document).values()))
        totals = check_totals(raw, format_, field_mappings(mapping.document))
        made, rejected, format_, agreed = _read(
            raw, format_, mapping, folder, Declared.from_document(delivery.declared)
        )
    except MissingColumn as missing:
        raise drift.of_stopped(work, raw, format_, missing) from None
    found = drift.of_delivery(work, raw, format_, made, folder / "records")
    name, digest = lake.keep(folder / "records", f"normalizations/{work.pk}-{work.fence}")
    with transaction.atomic():
        finish(
            work,
            format=format_.to_document(),
            notes=[*format_.notes, *totals, *agreed, *found.notes],
            mismatches=[*format_.mismatches] or None,
            questions=[],
            path=name,
            sha256=digest,
            received=made.received,
            normalized=made.normalized,
            quarantined=made.quarantined,
            flagged_values=made.flagged_values,
        )
        quarantine_rows(work, rejected)
        raise_quarantined(work, made.quarantined, timezone.now())
        if format_.mismatches:
            raise_mismatch(work, timezone.now())
        drift.propose(work, found)


def _declared(mapping: Mapping, *, is_replay: bool) -> dict[str, object]:
    """What is declared of a file's format. Repaired rows are JSON, whatever the format of the file that they came with."""
    return {"type": "ndjson"} if is_replay else mapping.format


def _read(
    raw: Path, format_: FileFormat, mapping: Mapping, folder: Path, declared: Declared | None = None
) -> tuple[Normalized, list[RejectedRow], FileFormat, list[str]]:
    """Write the records of a file to `records` in the folder; gives the counts, the rejected rows, the whole format, and
    which declared totals agree."""
    framed, format_ = frame(raw, format_, folder, _wanted(mapping))
    agreed = check_declared(framed, format_, field_mappings(mapping.document), declared)
    made = _write_records(framed, format_, mapping, folder / "records")
    return made, [*framed.rejected, *with_lines(raw, format_, made.rejected)], format_, agreed


def read_bytes(file: Path, mapping: Mapping, folder: Path, *, is_replay: bool) -> tuple[Normalized, list[RejectedRow]]:
    """Read a file as a delivery would be read, and keep nothing but `records` in the folder."""
    format_ = detect(file, _declared(mapping, is_replay=is_replay))
    return _read(file, format_, mapping, folder)[:2]


def _wanted(mapping: Mapping) -> list[str]:
    """The columns that the mapping reads."""
    return [it.column for it in field_mappings(mapping.document).values() if it.column is not None]


def _write_records(framed: Framed, format_: FileFormat, mapping: Mapping, target: Path) -> Normalized:
    return normalize(
        framed,
        format_,
        mapping.source.record_type.shape(),
        list(field_mappings(mapping.document).values()),
        target,
        threads=settings.ENGINE_THREADS,
        memory=settings.ENGINE_MEMORY,
        partition=framed.received > PARTITION_ROWS,
    )


class NeedsDecision(IngestionError):
    """The detection found something that a person or the source's format must settle first."""

    def __init__(self, delivery: Delivery, format_: FileFormat) -> None:
        self.questions = list(format_.questions)
        super().__init__(f"{delivery.file_name} needs a decision. " + " ".join(self.questions))
