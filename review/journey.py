"""The journey of one key: from the raw line to the stored row, or to where it stands."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from attribution.models import Attribution
from ingestion import lake
from ingestion.file_format import FileFormat
from ingestion.files import locate
from ingestion.framing import Located
from ingestion.lookup import lookup
from ingestion.models import Delivery, Normalization
from ingestion.sql_text import literal
from ingestion.unpacking import unpacked
from reconciliation.models import Break, OutcomeFile, Reconciliation, Run
from reconciliation.store.current import stored_versions

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
    versions = stored_versions(reconciliation.record_type, key)
    events = [*_rows(reconciliation, key), *_breaks(reconciliation, key), *_versions(versions)]
    current = [version for version in versions if version["_valid_to"] is None]
    stored = (
        {name: None if value is None else str(value) for name, value in current[0].items() if name[0] != "_"}
        if current
        else {}
    )
    return Journey(sorted(events, key=lambda event: event.at), stored)


def _rows(reconciliation: Reconciliation, key: str) -> Iterator[Event]:
    """The delivered rows of the key, from the runs' outcome files, with their raw lines."""
    done = OutcomeFile.objects.filter(step__run__reconciliation=reconciliation, step__run__state=Run.State.DONE)
    files = {str(lake.local(it.path)): it for it in done.select_related("step__run__rule_set").order_by("step__run_id")}
    seen: set[tuple[int, int]] = set()
    for path, side, delivery, n, state in _outcomes([path for path in files if Path(path).exists()], key):
        if (delivery, n) not in seen:
            seen.add((delivery, n))
            yield from _received(side, delivery, n)
        run = files[path].step.run
        yield Event(
            run.finished_at or run.created_at,
            "split",
            f"Row from {side.upper()} {WORDS.get(state, state)} in run {run.pk}",
            who=f"rule set {run.rule_set.version}",
            url=f"/runs/{run.pk}/",
        )


def _outcomes(paths: list[str], key: str) -> list[tuple[str, str, int, int, str]]:
    """What each outcome file says of the key: file, side, delivery, record number, state; in the order of the files."""
    if not paths:
        return []
    listed = ", ".join(map(literal, paths))
    with lookup() as duck:
        found = duck.execute(
            "SELECT filename, side, delivery, n, state FROM "
            f"read_parquet([{listed}], filename = true) WHERE key = ? ORDER BY delivery, side, n",
            [key],
        ).fetchall()
    return sorted(found, key=lambda row: paths.index(row[0]))


def _received(side: str, delivery_id: int, n: int) -> Iterator[Event]:
    work = (
        Normalization.objects.filter(delivery=delivery_id, state="done")
        .select_related("delivery__source", "mapping")
        .last()
    )
    if work is None:
        return
    delivery = work.delivery
    line, raw = "?", tuple[str, ...]()
    if lake.local(delivery.path).exists():
        found = _located(delivery, FileFormat.from_document(work.format), n)
        line, raw = f"{found.line:,}", (found.raw[:2000],)
    detail = f"{delivery.file_name}, record {n:,}, {_how(work.format)}, sha256 {delivery.sha256[:12]}"
    yield Event(delivery.received_at, "file", f"{side.upper()}: line {line} received from {delivery.source.title}", detail,
                f"delivery {delivery.pk}", raw, f"/deliveries/{delivery.pk}/")  # fmt: skip
    yield Event(work.finished_at or delivery.received_at, "spark", f"{side.upper()}: normalized by mapping {work.mapping.version}",
                f"{work.normalized:,} records, {work.quarantined:,} quarantined", f"mapping {work.mapping.version}")  # fmt: skip


def _how(format_: Mapping[str, object]) -> str:
    """How the file was read, in a few words."""
    kind = str(format_.get("type", "csv"))
    if kind == "csv":
        return f"{format_.get('encoding')}, delimiter {format_.get('delimiter')!r}"
    return ", ".join(filter(None, (kind, str(format_.get("encoding") or ""))))


def _located(delivery: Delivery, format_: FileFormat, n: int) -> Located:
    folder = lake.work_folder("journey")
    try:
        return locate(unpacked(lake.local(delivery.path), folder), format_, n)
    finally:
        lake.discard(folder)


def _breaks(reconciliation: Reconciliation, key: str) -> Iterator[Event]:
    for brk in Break.objects.filter(reconciliation=reconciliation, key=key).order_by("id"):
        yield Event(
            brk.opened_at,
            "alert",
            f"Break opened: {brk.get_kind_display().lower()}",
            who=f"run {brk.opened_run_id}",
            url=brk.get_absolute_url(),
        )
        for said in Attribution.objects.filter(difference__brk=brk).select_related("difference").order_by("id"):
            name = "whole row" if said.difference.field == "*row*" else said.difference.field
            yield Event(
                said.assigned_at,
                "spark",
                f"{name}: {said.reason_id}, {said.confidence * 100:.0f} %",
                said.proof,
                said.assigned_by.replace(":", " "),
            )
        for refusal in brk.refusals.select_related("run").order_by("id"):
            yield Event(
                refusal.run.finished_at or refusal.run.created_at,
                "x",
                f"Held by the gate. {refusal.sentence}",
                refusal.detail,
                f"run {refusal.run_id}",
            )
        for decision in brk.decisions.select_related("proposed_by", "confirmed_by").order_by("id"):  # type: ignore[attr-defined]
            at, who = decision.confirmed_at or decision.proposed_at, decision.confirmed_by or decision.proposed_by
            yield Event(
                at, "user", f"{decision.get_action_display()} {decision.reason}".strip(), decision.comment, str(who)
            )
        if brk.closed_at is not None:
            yield Event(
                brk.closed_at,
                "check",
                f"Break {brk.get_state_display().lower()}",
                brk.closed_because,
                f"run {brk.last_run_id}",
            )


def _versions(versions: object) -> Iterator[Event]:
    for number, version in enumerate(versions, 1):  # type: ignore[arg-type, var-annotated]
        by = f"decision {version['_decision']}" if version["_decision"] else f"run {version['_run']}"
        yield Event(
            version["_valid_from"], "check", f"Stored as version {number}", f"record hash {version['_hash']}", by
        )
