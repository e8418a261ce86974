"""Schema drift: columns that are new, gone, renamed or written in another way, and the mapping version that would read them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from ingestion import custody, lake
from ingestion.errors import IngestionError, MissingColumn
from ingestion.file_format import NAMED_VALUES, FileFormat
from ingestion.files import records
from ingestion.lookup import lookup
from ingestion.mapping import FieldMapping
from ingestion.models import Mapping as MappingVersion
from ingestion.models import MappingProposal, Normalization
from ingestion.normalize import Normalized, column_position
from ingestion.preview import preview
from ingestion.shape import Leaf
from ingestion.sql_text import parquet
from ingestion.suggest.dates import date_styles
from ingestion.suggest.numbers import number_styles
from ingestion.suggest.renamed import Sample, find_renamed
from ingestion.unpacking import unpacked

Document = dict[str, dict[str, Any]]
SAMPLED = 1_000  # records whose values are looked at
NAMED = 20  # columns in a note
FEWEST = 2  # values that do not fit, from which on a column is written in another way
STYLE_STEPS = ("parse", "decimal", "group", "signs")


@dataclass(frozen=True)
class Drift:
    """What changed: notes, and a mapping document with why each path of it is other than before.

    `would`: what the document would read of the first rows; None where nothing is proposed.
    """

    notes: Sequence[str] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    would: Normalized | None = None


class Drifted(MissingColumn):
    """A delivery lacks columns that its mapping reads; `found` is the mapping that would read it, if there is one."""

    def __init__(self, missing: MissingColumn, work: Normalization, found: Drift) -> None:
        self.found = found
        where = f"A mapping version that reads it is proposed; accept or refuse it at delivery {work.delivery_id}."
        super().__init__(str(missing) if found.would is None else f"{missing} {where}")


def of_stopped(work: Normalization, raw: Path, format_: FileFormat, missing: MissingColumn) -> Drifted:
    """The error of a delivery without some columns, with the mapping that reads those that look like them."""
    found = _renamed_columns(work, raw, format_)
    return Drifted(missing, work, replace(found, would=_tried(work, raw, found.document)))


def of_delivery(work: Normalization, raw: Path, format_: FileFormat, made: Normalized, written: Path) -> Drift:
    """What changed in a delivery that was read: columns, and how values are written."""
    if work.delivery.replayed_from_id is not None:
        return Drift()
    found = _retyped_columns(work, raw, format_, made, written)
    would = _tried(work, raw, found.document)
    is_better = would is not None and _fitting(would) > _fitting(made)
    return replace(found, notes=[*_column_notes(work, format_), *found.notes], would=would if is_better else None)


def _fitting(made: Normalized) -> float:
    """Records a row, less those of flagged values."""
    return (made.normalized - made.flagged_values) / max(made.received, 1)


def _column_notes(work: Normalization, format_: FileFormat) -> list[str]:
    """Which columns the delivery has that the one before had not, and which unmapped ones it has no more."""
    before = _before(work)
    if before is None:
        return []
    held, used = FileFormat.from_document(before.format).columns, _used(work.mapping.document, format_)
    new = [it for place, it in enumerate(format_.columns) if it not in held and place not in used]
    gone = [it for it in held if it not in format_.columns] if format_.type not in NAMED_VALUES else []
    notes = [
        f"Extra columns, which nothing is mapped from and delivery {before.delivery_id} did not have: {_few(new)}."
    ]
    notes += [f"Columns that delivery {before.delivery_id} had and nothing is mapped from are gone: {_few(gone)}."]
    return [note for note, found in zip(notes, (new, gone), strict=True) if found]


def _used(document: Document, format_: FileFormat) -> set[int | None]:
    """The places of the columns that a mapping reads."""
    return {column_position(format_, str(it["column"])) for it in document.values() if it.get("column") is not None}


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (" ..." if len(names) > NAMED else "")


def _before(work: Normalization) -> Normalization | None:
    """The newest reading of an earlier delivery of the source."""
    done = Normalization.objects.filter(
        delivery__source=work.delivery.source_id, delivery__lt=work.delivery_id, delivery__replayed_from=None,
        state=Normalization.State.DONE,
    )  # fmt: skip
    return done.select_related("delivery").order_by("-delivery_id", "-id").first()


def _renamed_columns(work: Normalization, raw: Path, format_: FileFormat) -> Drift:
    """The mapping that reads the columns that look like the missing ones."""
    document: Document = work.mapping.document
    lost = {it["column"]: path for path, it in document.items() if _is_lost(it, format_)}
    before = _before(work)
    held = FileFormat.from_document(before.format).columns if before is not None else ()
    used = _used(document, format_)
    new = [it for it in _samples(raw, format_) if it.place not in used and it.name not in held]
    old = {it.name: it for it in _old_samples(before)}
    found = find_renamed([old.get(name, Sample(name, -1, {})) for name in lost], new)
    proposed, why = dict(document), {}
    for renaming in found:
        for path, mapped in document.items():
            if mapped.get("column") == renaming.missing:
                proposed[path] = {**mapped, "column": renaming.column}
                why[path] = f"{renaming.missing!r} is gone and {renaming.column!r} is new: {renaming.why}."
    return Drift((), proposed if len(found) == len(lost) else {}, why)


def _is_lost(mapped: Mapping[str, Any], format_: FileFormat) -> bool:
    return mapped.get("column") is not None and column_position(format_, str(mapped["column"])) is None


def _old_samples(before: Normalization | None) -> Sequence[Sample]:
    """The columns of the delivery before, as far as its bytes are still kept."""
    if before is None or not lake.local(before.delivery.path).exists():
        return ()
    folder = lake.work_folder("drift")
    try:
        raw = unpacked(lake.local(before.delivery.path), folder)
        return _samples(raw, FileFormat.from_document(before.format))
    except IngestionError:
        return ()
    finally:
        lake.discard(folder)


def _samples(raw: Path, format_: FileFormat) -> list[Sample]:
    values: list[Counter[str]] = [Counter() for _ in format_.columns]
    for row in islice(records(raw, format_), SAMPLED):
        for held, text in zip(values, row.cells or (), strict=False):
            if text.strip():
                held[text] += 1
    return [Sample(name, place, held) for place, (name, held) in enumerate(zip(format_.columns, values, strict=True))]


def _retyped_columns(work: Normalization, raw: Path, format_: FileFormat, made: Normalized, written: Path) -> Drift:
    """The columns most of whose values do not fit their fields any more, and the mapping that reads them."""
    leaves = work.mapping.source.record_type.shape().leaves
    unfit = dict(_mostly_flagged(made, written, leaves))
    unfit |= {leaf: len(made.rejected) for leaf in leaves if leaf.key and _unfit_keys(made)}
    document: Document = work.mapping.document
    samples = _samples(raw, format_) if unfit else []
    notes, proposed, why = list[str](), dict(document), dict[str, str]()
    for leaf, count in unfit.items():
        mapped = document.get(leaf.path, {})
        place = column_position(format_, str(mapped.get("column", "")))
        if place is None:
            continue
        steps = _style_of(leaf, samples[place].values)
        example = next(iter(samples[place].values), "")
        note = (
            f"Column {mapped['column']!r} is no {leaf.kind} any more: {count:,} values do not fit, such as {example!r}."
        )
        notes.append(note)
        if steps is None:
            continue
        restyled = {key: it for key, it in mapped.items() if key not in STYLE_STEPS} | steps
        if restyled != mapped:
            shown = FieldMapping.from_document(leaf.path, restyled).shown()
            proposed[leaf.path], why[leaf.path] = restyled, f"{note[:-1]}. They read as: {shown}."
    return Drift(notes, proposed if why else {}, why)


def _mostly_flagged(made: Normalized, written: Path, leaves: Sequence[Leaf]) -> Iterable[tuple[Leaf, int]]:
    """Fields more than half of whose values are flagged."""
    if made.flagged_values < FEWEST:
        return
    with lookup() as duck:
        names = f"SELECT unnest(string_split(flags, ',')) AS name FROM read_parquet({parquet(written)}) WHERE flags IS NOT NULL"
        flagged = dict(duck.execute(f"SELECT name, count(*) FROM ({names}) GROUP BY name").fetchall())
        for leaf in leaves:
            if flagged.get(leaf.name, 0) >= FEWEST:
                there = f"{leaf.column} IS NOT NULL OR raw_{leaf.column} IS NOT NULL"
                filled = duck.execute(
                    f"SELECT count(*) FROM read_parquet({parquet(written)}) WHERE {there}"
                ).fetchall()[0][0]
                if flagged[leaf.name] * 2 > filled:
                    yield leaf, flagged[leaf.name]


def _unfit_keys(made: Normalized) -> bool:
    unfit = sum("does not fit its field" in row.reason for row in made.rejected)
    return unfit >= FEWEST and unfit * 2 > made.received


def _style_of(leaf: Leaf, values: Mapping[str, int]) -> dict[str, Any] | None:
    """The steps that read most of the values as the field's kind; None where nothing does."""
    if leaf.kind in ("date", "datetime") and (dates := date_styles(values)):
        return dates[0].mapping()
    if leaf.kind in ("decimal", "integer") and (numbers := number_styles(values)):
        return {key: it for key, it in numbers[0].mapping().items() if key in STYLE_STEPS}
    return None


def _tried(work: Normalization, raw: Path, document: Mapping[str, Any]) -> Normalized | None:
    """What a mapping document would read of the first rows; None where it reads none."""
    if not document:
        return None
    mapping = MappingVersion(source=work.mapping.source, document=dict(document), format=work.mapping.format)
    return preview(raw, mapping).counts


@transaction.atomic
def propose(work: Normalization, found: Drift) -> None:
    """Keep a mapping version for a person to accept or refuse, once a reading."""
    if found.would is None:
        return
    proposal, is_new = MappingProposal.objects.get_or_create(
        normalization=work,
        defaults={
            "document": dict(found.document), "why": dict(found.why), "received": found.would.received,
            "normalized": found.would.normalized, "flagged_values": found.would.flagged_values,
        },
    )  # fmt: skip
    if is_new:
        custody.seal([proposal])
