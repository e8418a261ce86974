"""The part of a journey before any comparison: how each row of a key came, was repaired and became a record."""

from collections.abc import Iterator, Mapping, Sequence

from django.urls import reverse

from ingestion.models import Normalization, QuarantinedRow, Repair
from ingestion.quarantine import said_of
from ingestion.suggest.definition import flow
from reconciliation.models import Member
from review.journey_events import Change, Event
from review.standings import Standing, raw_line

ROWS = ("excel", "parquet")  # formats without lines
SHOWN_RAW = 2000
Place = tuple[int, int]  # delivery, record number


def received(rows: Sequence[Standing], members: Mapping[Place, Member]) -> Iterator[Event]:
    """How each row came, with its raw line; once, however many runs it stood in. `members` are those that stand in breaks."""
    sides = {(row.delivery, row.n): row.side.upper() for row in rows}
    readings = _readings({row.delivery for row in rows})
    earlier: dict[tuple[str, object], Place] = {}
    for (delivery, n), side in sorted(sides.items()):
        if delivery not in readings:
            continue
        newest = readings[delivery][-1]
        of_date = (side, newest.delivery.business_date)
        yield from _set_aside(readings[delivery], side, n)
        yield _came(newest, side, n, _replaced(earlier.get(of_date), (delivery, n), members))
        yield _normalized(newest, side, n, members.get((delivery, n)))
        earlier[of_date] = (delivery, n)


def _readings(deliveries: set[int]) -> dict[int, list[Normalization]]:
    done = Normalization.objects.filter(delivery__in=deliveries, state="done")
    found: dict[int, list[Normalization]] = {}
    for work in done.select_related("delivery__source", "delivery__tombstone", "mapping").order_by("id"):
        found.setdefault(work.delivery_id, []).append(work)
    return found


def _replaced(
    former: Place | None, place: Place, members: Mapping[Place, Member]
) -> tuple[Place, Sequence[Change]] | None:
    """The row of an earlier delivery of the same date that this one replaces, and what it changed as far as breaks tell it."""
    if former is None or former[0] == place[0]:
        return None
    was, now = members.get(former), members.get(place)
    if was is None or now is None:
        return former, ()
    names = dict.fromkeys([*was.record, *now.record])
    changed = [it for it in names if was.record.get(it) != now.record.get(it)]
    return former, [Change(it, was.record.get(it), now.record.get(it)) for it in changed]


def _set_aside(readings: list[Normalization], side: str, n: int) -> Iterator[Event]:
    """Why a row was no record before: as the raw line that was repaired, or when it was read by an earlier mapping."""
    delivery = readings[0].delivery
    if delivery.replayed_from_id is not None:
        for made in Repair.objects.filter(delivery=delivery, record_number=n).select_related("row"):
            yield from _quarantined(made.row, side)
            yield from (_repaired(said, side) for said in said_of(made.row))
    if len(readings) > 1:
        for row in QuarantinedRow.objects.filter(normalization__in=readings, record_number=n):
            yield from _quarantined(row, side)


def _quarantined(row: QuarantinedRow, side: str) -> Iterator[Event]:
    work = row.normalization
    delivery, url = work.delivery, reverse("quarantined", args=[row.pk])
    title = f"{side}: {_unit(work.format)} {row.line:,} received from {delivery.source.title}"
    yield Event(delivery.received_at, "file", title, f"{delivery.file_name}, record {row.record_number:,}",
                f"delivery {delivery.pk}", (row.raw[:SHOWN_RAW],), f"/deliveries/{delivery.pk}/", "offered", str(row.pk),
                hash=delivery.sha256, hash_of="sha256 of the delivery")  # fmt: skip
    yield Event(work.finished_at or delivery.received_at, "x", f"{side}: quarantined. {row.reason}",
                who=f"mapping {work.mapping.version}", url=url, what="quarantined", about=str(row.pk), tone="warn")  # fmt: skip


def _repaired(said: Repair, side: str) -> Event:
    at, who = said.confirmed_at or said.proposed_at, said.confirmed_by or said.proposed_by
    changes = [Change(it.column, it.was, it.value) for it in said.cells.all() if it.is_changed]
    return Event(at, "pen", f"{side}: {said.told.lower()}", said.comment, str(who), what="repaired", about=str(said.pk),
                 tone="acc", changes=changes, heads=("Column", "As it came", "Repaired"))  # fmt: skip


def _came(work: Normalization, side: str, n: int, replaced: tuple[Place, Sequence[Change]] | None) -> Event:
    delivery, found = work.delivery, raw_line(work, n)
    line, raw = (f"{found.line:,}", (found.raw[:SHOWN_RAW],)) if found else ("?", ())
    detail = f"{delivery.file_name}, record {n:,}, {_how(work.format)}, for {delivery.business_date:%-d %b %Y}"
    if replaced is not None:
        detail += f". It replaces record {replaced[0][1]:,} of delivery {replaced[0][0]}"
    if hasattr(delivery, "tombstone"):
        detail += f". Its raw bytes were deleted on {delivery.tombstone.deleted_at:%Y-%m-%d}: {delivery.tombstone.rule}"
    again = " again" if replaced is not None else ""
    came = f"{_unit(work.format)} {line} received{again} from {delivery.source.title}"
    title = came if delivery.replayed_from_id is None else f"replayed as line {line} of delivery {delivery.pk}"
    by = f", by {delivery.received_by}" if delivery.received_by else ""
    return Event(delivery.received_at, "file", f"{side}: {title}", detail, f"delivery {delivery.pk}{by}", raw,
                 f"/deliveries/{delivery.pk}/", "received", f"{delivery.pk}-{n}", changes=replaced[1] if replaced else (),
                 heads=("Field", "Delivered before", "Now"), hash=delivery.sha256, hash_of="sha256 of the delivery")  # fmt: skip


def _normalized(work: Normalization, side: str, n: int, member: Member | None) -> Event:
    delivery, version = work.delivery, work.mapping.version
    return Event(work.finished_at or delivery.received_at, "map", f"{side}: normalized by mapping {version}",
                 f"{work.normalized:,} records, {work.quarantined:,} quarantined", f"mapping {version}",
                 what="normalized", about=f"{work.pk}-{n}", changes=_steps(work.mapping.document, member),
                 heads=("Field", "Raw", "Canonical"))  # fmt: skip


def _steps(document: Mapping[str, Mapping[str, object]], member: Member | None) -> list[Change]:
    """The fields whose canonical text is not what came, with the mapping's steps."""
    if member is None:
        return []
    shown = [name for name in member.record if name in member.raw]
    return [Change(it, member.raw[it], member.record[it], _how_mapped(document.get(it, {}))) for it in shown]


def _how_mapped(mapped: Mapping[str, object]) -> str:
    steps = {name: it for name, it in mapped.items() if name != "column"}
    return ", ".join(f"{name} {flow(it)}" for name, it in steps.items())[:200]


def _unit(format_: Mapping[str, object]) -> str:
    """What a record's place is counted in."""
    return "row" if format_.get("type") in ROWS else "line"


def _how(format_: Mapping[str, object]) -> str:
    """How the file was read, in a few words."""
    kind = str(format_.get("type", "csv"))
    if kind == "csv":
        return f"{format_.get('encoding')}, delimiter {format_.get('delimiter')!r}"
    return ", ".join(filter(None, (kind, str(format_.get("encoding") or ""))))
