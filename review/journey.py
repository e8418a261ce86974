"""The journey of one key: from the raw line to the stored row, or to where it stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingestion.models.record_type import opened_fields_of
from reconciliation.models import Break, Reconciliation, Retraction
from reconciliation.store.current import stored_versions
from review.journey_breaks import breaks_of, episode, members_of, state_words
from review.journey_events import Change, Event
from review.journey_rows import received
from review.standings import Standing, standings

WORDS = {
    "stored": "matched and let through",
    "in_break": "stands in a break",
    "out_of_scope": "out of scope",
    "superseded": "superseded by a later delivery",
}
Fact = tuple[str, str, str]  # what, how it stands, a link where there is one


@dataclass(frozen=True)
class Journey:
    """The events in order, the stored values now, where the key stands, and by which versions it was judged last."""

    events: list[Event] = field(default_factory=list)
    stored: dict[str, str | None] = field(default_factory=dict)
    state: str = ""
    tone: str = ""
    facts: Sequence[Fact] = ()
    pinned: Sequence[Fact] = ()


def journey(reconciliation: Reconciliation, key: str) -> Journey:
    """Every step of a key in a reconciliation."""
    versions = stored_versions(reconciliation.record_type, key)
    return _told(reconciliation, key, standings([reconciliation], key), breaks_of([reconciliation], key), versions)


def find_journey(reconciliations: Sequence[Reconciliation], key: str) -> tuple[Reconciliation | None, Journey]:
    """The first of several reconciliations that knows a key, and the key's journey there."""
    rows, breaks = standings(reconciliations, key), breaks_of(reconciliations, key)
    owners = {it.run.reconciliation_id for it in rows} | {it.reconciliation_id for it in breaks}
    asked = [it for it in reconciliations if not owners or it.pk in owners]
    types = {it.record_type.pk: it.record_type for it in asked}
    fields, stored = opened_fields_of(list(types.values())) if types else {}, {}
    for candidate in asked:
        record_type = types[candidate.record_type.pk]  # what several deliver is asked once
        if record_type.pk not in stored:
            record_type.kept_fields = fields[record_type.pk]
            stored[record_type.pk] = stored_versions(record_type, key)
        mine = [it for it in rows if it.run.reconciliation_id == candidate.pk]
        of = [it for it in breaks if it.reconciliation_id == candidate.pk]
        told = _told(candidate, key, mine, of, stored[record_type.pk])
        if told.events:
            return candidate, told
    return None, Journey()


Versions = Sequence[Mapping[str, object]]


def _told(
    reconciliation: Reconciliation, key: str, rows: list[Standing], breaks: list[Break], versions: Versions
) -> Journey:
    if not _is_seen(reconciliation, breaks, versions):
        return Journey()
    events = [
        *received(rows, members_of(breaks)),
        *map(_stood, rows),
        *(event for brk in breaks for event in episode(brk, reconciliation)),
        *_versions(versions, _taken_back(reconciliation, key, versions)),
    ]
    state, tone = _state(versions, breaks, rows)
    return Journey(
        events=_in_order(events),
        stored=_current(versions),
        state=state,
        tone=tone,
        facts=_facts(rows, breaks, versions),
        pinned=_pinned(events, rows, versions),
    )


def _is_seen(reconciliation: Reconciliation, breaks: Sequence[Break], versions: Sequence[Mapping[str, object]]) -> bool:
    """Whether who sees a part of the reconciliation, if it was asked for so, sees the key: by the values that it has now, in an open
    break and in the store; where it is in neither, in its last break. Who sees the key sees all that became of it."""
    if reconciliation.is_whole:
        return True
    scopes, values = reconciliation.seen_scopes, reconciliation.seen_values
    open_ = [it for it in breaks if it.state in Break.OPEN_STATES]
    now = [it for it in versions if it["_valid_to"] is None]
    if open_ or now:
        stands = any((it.get(reconciliation.scope) or "") in values for it in now)
        return stands or any(it.scope_id in scopes for it in open_)
    return bool(breaks) and breaks[-1].scope_id in scopes


def _in_order(events: Sequence[Event]) -> list[Event]:
    """By time. What a run stored follows what let it pass: both are of one transaction, which began before it judged."""
    passed = {event.url: event.at for event in events if event.what == "passed"}
    return sorted(events, key=lambda it: max(it.at, passed.get(it.url, it.at)) if it.what == "stored" else it.at)


def _stood(row: Standing) -> Event:
    return Event(
        row.run.finished_at or row.run.created_at,
        "check" if row.state == "stored" else "split",
        f"Row from {row.side.upper()} {WORDS.get(row.state, row.state)} in run {row.run.pk}",
        who=f"rule set {row.run.rule_set.version}",
        url=f"/runs/{row.run.pk}/",
        what="stood",
        about=f"{row.run.pk}-{row.delivery}-{row.n}",
        tone="ok" if row.state == "stored" else "",
    )


def _taken_back(reconciliation: Reconciliation, key: str, versions: Sequence[Mapping[str, object]]) -> list[Retraction]:
    """What was taken back; asked only where a version ended by a decision, or with nothing in its place."""
    after = [*versions[1:], None][: len(versions)]  # of a key that was never stored there is none
    ended = [(it, then) for it, then in zip(versions, after, strict=True) if it["_valid_to"]]
    if not any(it["_decision"] or then is None or then["_decision"] for it, then in ended):
        return []
    return list(Retraction.objects.of(reconciliation.record_type).filter(key=key))


def _versions(versions: Sequence[Mapping[str, object]], taken_back: Sequence[Retraction]) -> Iterator[Event]:
    """Each version that was stored, with what it changed, and each that was taken back."""
    again = {it.restored: it for it in taken_back if it.restored}
    former: Mapping[str, object] = {}
    for number, version in enumerate(versions, 1):
        by = f"decision {version['_decision']}" if version["_decision"] else f"run {version['_run']}"
        title = f"Stored as version {number}"
        if number in again:
            title, by = f"{title}, with the values of version {number - 2}", _who(again[number], versions)
        yield Event(
            version["_valid_from"],  # type: ignore[arg-type]
            "db",
            title,
            who=by,
            url="" if version["_decision"] else f"/runs/{version['_run']}/",
            what="stored",
            about=str(number),
            tone="ok",
            changes=_changed(former, version) if former else (),
            heads=("Field", f"Version {number - 1}", f"Version {number}"),
            hash=str(version["_hash"]),
            hash_of="record hash",
        )
        former = version
    for it in taken_back:
        who = _who(it, versions)
        yield Event(
            it.at,
            "x",
            f"Version {it.version} taken back",
            who=who,
            what="taken-back",
            about=str(it.version),
            tone="warn",
        )


def _who(taken: Retraction, versions: Sequence[Mapping[str, object]]) -> str:
    """Who took a version back: its own decision, undone, or one that rejects what had passed."""
    is_own = any(it["_version"] == taken.version and it["_decision"] == taken.decision for it in versions)
    return f"decision {taken.decision} undone" if is_own else f"decision {taken.decision}"


def _changed(former: Mapping[str, object], version: Mapping[str, object]) -> list[Change]:
    names = [name for name in version if name[0] != "_" and former.get(name) != version[name]]
    return [Change(name, _text(former.get(name)), _text(version[name])) for name in names]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _current(versions: Sequence[Mapping[str, object]]) -> dict[str, str | None]:
    """The values of the version that holds now; nothing where none does."""
    current = next((version for version in versions if version["_valid_to"] is None), {})
    return {name: _text(value) for name, value in current.items() if name[0] != "_"}


def _state(
    versions: Sequence[Mapping[str, object]], breaks: Sequence[Break], rows: Sequence[Standing]
) -> tuple[str, str]:
    """Where the key stands, in a few words, and the tone of it."""
    if (waiting := next((it for it in breaks if it.state in Break.OPEN_STATES), None)) is not None:
        return state_words(waiting.state, waiting.band)
    if any(it["_valid_to"] is None for it in versions):
        return f"Stored, version {len(versions)}", "ok"
    if breaks:
        return state_words(breaks[-1].state, breaks[-1].band)
    return (WORDS.get(rows[-1].state, rows[-1].state).capitalize(), "") if rows else ("", "")


def _facts(rows: Sequence[Standing], breaks: Sequence[Break], versions: Sequence[Mapping[str, object]]) -> list[Fact]:
    """The newest row of each side, the breaks and the last run."""
    newest = {row.side.upper(): row for row in rows}
    facts = [
        (f"Row from {side}", f"delivery {row.delivery}, record {row.n:,}", f"/deliveries/{row.delivery}/")
        for side, row in sorted(newest.items())
    ]
    facts += [(f"Break {brk.pk}", state_words(brk.state, brk.band)[0], brk.get_absolute_url()) for brk in breaks]
    if versions:
        facts.append(("Store", f"{len(versions)} version{'' if len(versions) == 1 else 's'}", ""))
    if rows:
        facts.append(("Last run", str(rows[-1].run.pk), f"/runs/{rows[-1].run.pk}/"))
    return facts


def _pinned(events: Sequence[Event], rows: Sequence[Standing], versions: Sequence[Mapping[str, object]]) -> list[Fact]:
    """By which versions the last run judged it, and the hash of what is stored now."""
    mapped = {it.side: it.who.removeprefix("mapping ") for it in events if it.what == "normalized"}
    facts = (
        [("Mapping", ", ".join(f"{version} ({side})" for side, version in sorted(mapped.items())), "")]
        if mapped
        else []
    )
    if rows:
        run = rows[-1].run
        facts += [("Rule set", str(run.rule_set.version), ""), ("Model", run.model_version or "provers only", "")]
        facts += [("Certificate", str(run.certificate), "")] if run.certificate else []
    current = next((it for it in versions if it["_valid_to"] is None), None)
    return facts + ([("Record hash", str(current["_hash"]), "")] if current else [])
