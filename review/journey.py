"""The journey of one key: from the raw line to the stored row, or to where it stands."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import FilteredRelation, Prefetch
from django.urls import reverse

from ingestion.models import Normalization, QuarantinedRow, Repair
from ingestion.quarantine import said_of
from reconciliation.models import Break, Difference, GateRefusal, Reconciliation, Retraction
from reconciliation.store.current import stored_versions
from review.models import Decision
from review.standings import Standing, raw_line, standings

ROWS = ("excel", "parquet")  # formats without lines
WORDS = {
    "stored": "matched and let through",
    "in_break": "stands in a break",
    "out_of_scope": "out of scope",
    "superseded": "superseded by a later delivery",
}


@dataclass(frozen=True)
class Event:
    """One step: when, what, by whom or which version, and the raw lines that show it."""

    at: dt.datetime
    glyph: str
    title: str
    detail: str = ""
    who: str = ""
    lines: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True)
class Journey:
    """The events in order, and the stored values now."""

    events: list[Event] = field(default_factory=list)
    stored: dict[str, str | None] = field(default_factory=dict)


def journey(reconciliation: Reconciliation, key: str) -> Journey:
    """Every step of a key in a reconciliation."""
    return _told(reconciliation, key, standings([reconciliation], key), _breaks_of([reconciliation], key))


def find_journey(reconciliations: Sequence[Reconciliation], key: str) -> tuple[Reconciliation | None, Journey]:
    """The first of several reconciliations that knows a key, and the key's journey there."""
    rows, breaks = standings(reconciliations, key), _breaks_of(reconciliations, key)
    owners = {it.run.reconciliation_id for it in rows} | {it.reconciliation_id for it in breaks}
    for candidate in reconciliations:
        if owners and candidate.pk not in owners:
            continue
        mine = [it for it in rows if it.run.reconciliation_id == candidate.pk]
        told = _told(candidate, key, mine, [it for it in breaks if it.reconciliation_id == candidate.pk])
        if told.events:
            return candidate, told
    return None, Journey()


def _told(reconciliation: Reconciliation, key: str, rows: list[Standing], breaks: list[Break]) -> Journey:
    versions = stored_versions(reconciliation.record_type, key)
    broke = [event for brk in breaks for event in _episode(brk)]
    events = [
        *_received(rows),
        *map(_stood, rows),
        *broke,
        *_versions(versions, _taken_back(reconciliation, key, versions)),
    ]
    return Journey(sorted(events, key=lambda event: event.at), _current(versions))


def _received(rows: list[Standing]) -> Iterator[Event]:
    """How each row came, with its raw line; once, however many runs it stood in."""
    sides = {(row.delivery, row.n): row.side.upper() for row in rows}
    done = Normalization.objects.filter(delivery__in={row.delivery for row in rows}, state="done")
    readings: dict[int, list[Normalization]] = {}
    for work in done.select_related("delivery__source", "delivery__tombstone", "mapping").order_by("id"):
        readings.setdefault(work.delivery_id, []).append(work)
    for (delivery, n), side in sides.items():
        if delivery in readings:
            yield from _set_aside(readings[delivery], side, n)
            yield from _came(readings[delivery][-1], side, n)


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
                f"delivery {delivery.pk}", (row.raw[:2000],), f"/deliveries/{delivery.pk}/")  # fmt: skip
    yield Event(work.finished_at or delivery.received_at, "x", f"{side}: quarantined. {row.reason}",
                who=f"mapping {work.mapping.version}", url=url)  # fmt: skip


def _repaired(said: Repair, side: str) -> Event:
    at, who = said.confirmed_at or said.proposed_at, said.confirmed_by or said.proposed_by
    lines = tuple(f"{it.column}: {_shown(it.was)} -> {_shown(it.value)}" for it in said.cells.all() if it.is_changed)
    return Event(at, "pen", f"{side}: {said.told.lower()}", said.comment, str(who), lines)


def _shown(text: str | None) -> str:
    return "nothing" if text is None else text or "empty"


def _came(work: Normalization, side: str, n: int) -> Iterator[Event]:
    delivery, found = work.delivery, raw_line(work, n)
    line, raw = (f"{found.line:,}", (found.raw[:2000],)) if found else ("?", ())
    detail = f"{delivery.file_name}, record {n:,}, {_how(work.format)}, sha256 {delivery.sha256[:12]}"
    if hasattr(delivery, "tombstone"):
        detail += f". Its raw bytes were deleted on {delivery.tombstone.deleted_at:%Y-%m-%d}: {delivery.tombstone.rule}"
    came = f"{_unit(work.format)} {line} received from {delivery.source.title}"
    title = came if delivery.replayed_from_id is None else f"replayed as line {line} of delivery {delivery.pk}"
    yield Event(delivery.received_at, "file", f"{side}: {title}", detail,
                f"delivery {delivery.pk}", raw, f"/deliveries/{delivery.pk}/")  # fmt: skip
    yield Event(work.finished_at or delivery.received_at, "spark", f"{side}: normalized by mapping {work.mapping.version}",
                f"{work.normalized:,} records, {work.quarantined:,} quarantined", f"mapping {work.mapping.version}")  # fmt: skip


def _unit(format_: Mapping[str, object]) -> str:
    """What a record's place is counted in."""
    return "row" if format_.get("type") in ROWS else "line"


def _how(format_: Mapping[str, object]) -> str:
    """How the file was read, in a few words."""
    kind = str(format_.get("type", "csv"))
    if kind == "csv":
        return f"{format_.get('encoding')}, delimiter {format_.get('delimiter')!r}"
    return ", ".join(filter(None, (kind, str(format_.get("encoding") or ""))))


def _stood(row: Standing) -> Event:
    return Event(
        row.run.finished_at or row.run.created_at,
        "split",
        f"Row from {row.side.upper()} {WORDS.get(row.state, row.state)} in run {row.run.pk}",
        who=f"rule set {row.run.rule_set.version}",
        url=f"/runs/{row.run.pk}/",
    )


def _breaks_of(reconciliations: Sequence[Reconciliation], key: str) -> list[Break]:
    """The key's breaks with all that was ever said and decided about them; `told` is a difference for each attribution."""
    said = Difference.objects.annotate(said=FilteredRelation("attributions")).select_related("said")  # type: ignore[misc]
    decisions = Decision.objects.select_related("proposed_by", "confirmed_by", "undone_by").order_by("id")
    return list(
        Break.objects.filter(reconciliation__in=[it.pk for it in reconciliations], key=key)
        .prefetch_related(
            Prefetch("differences", said.order_by("said__id"), to_attr="told"),
            Prefetch("refusals", GateRefusal.objects.select_related("run").order_by("id")),
            Prefetch("decisions", decisions),
        )
        .order_by("id")
    )


def _episode(brk: Break) -> Iterator[Event]:
    title = f"Break opened: {brk.get_kind_display().lower()}"
    yield Event(brk.opened_at, "alert", title, who=f"run {brk.opened_run_id}", url=brk.get_absolute_url())
    for difference in brk.told:  # type: ignore[attr-defined]
        if difference.said is not None:
            yield _reasoned(difference)
    for refusal in brk.refusals.all():
        at = refusal.run.finished_at or refusal.run.created_at
        yield Event(at, "x", f"Held by the gate. {refusal.sentence}", refusal.detail, f"run {refusal.run_id}")
    for decision in brk.decisions.all():  # type: ignore[attr-defined]
        yield from _decided(decision)
    if brk.closed_at is not None:
        title = f"Break {brk.get_state_display().lower()}"
        yield Event(brk.closed_at, "check", title, brk.closed_because, f"run {brk.last_run_id}")


def _reasoned(difference: Difference) -> Event:
    said = difference.said  # type: ignore[attr-defined]
    name = "whole row" if difference.field == Difference.ROW else difference.field
    title = f"{name}: {said.reason_id}, {said.confidence * 100:.0f} %"
    return Event(said.assigned_at, "spark", title, said.proof, said.assigned_by.replace(":", " "))


def _decided(decision: Decision) -> Iterator[Event]:
    at, who = decision.confirmed_at or decision.proposed_at, decision.confirmed_by or decision.proposed_by
    yield Event(at, "user", decision.told, decision.comment, str(who))
    if decision.undone_at is not None:
        title = f"Decision {decision.pk} undone, back in review"
        yield Event(decision.undone_at, "user", title, decision.undo_comment or "", str(decision.undone_by))


def _taken_back(reconciliation: Reconciliation, key: str, versions: Sequence[Mapping[str, object]]) -> list[Retraction]:
    """What undone decisions took back; asked only where a version that a decision wrote has ended."""
    if not any(it["_decision"] and it["_valid_to"] for it in versions):
        return []
    return list(Retraction.objects.of(reconciliation.record_type).filter(key=key))


def _versions(versions: Sequence[Mapping[str, object]], taken_back: Sequence[Retraction]) -> Iterator[Event]:
    """Each version that was stored, and each that was taken back."""
    again = {it.restored: it for it in taken_back if it.restored}
    for number, version in enumerate(versions, 1):
        by = f"decision {version['_decision']}" if version["_decision"] else f"run {version['_run']}"
        title = f"Stored as version {number}"
        if number in again:
            title, by = f"{title}, with the values of version {number - 2}", f"{by} undone"
        yield Event(version["_valid_from"], "check", title, f"record hash {version['_hash']}", by)  # type: ignore[arg-type]
    for it in taken_back:
        yield Event(it.at, "x", f"Version {it.version} taken back", who=f"decision {it.decision} undone")


def _current(versions: Sequence[Mapping[str, object]]) -> dict[str, str | None]:
    """The values of the version that holds now; nothing where none does."""
    current = next((version for version in versions if version["_valid_to"] is None), {})
    return {name: None if value is None else str(value) for name, value in current.items() if name[0] != "_"}
