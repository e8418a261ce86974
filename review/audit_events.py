"""Audit events as a user may see them, narrowed by what a page, a program or an export asks for; and what each changed."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from ingestion.audit_log import ACTIONS
from ingestion.business_date import NoDate, given_date
from ingestion.models import AuditEvent
from ingestion.suggestion import nearest_end
from reconciliation.models import Reconciliation
from reconciliation.models.reconciliation import SEES_ALL
from review.ids import id_of

READS = "ingestion.read_audit_log"
FILTERS = ("actor", "action", "kind", "object", "run", "reconciliation", "request", "from", "to")
COLUMNS = (
    "sequence", "at", "actor", "action", "kind", "object", "name", "run", "reconciliation", "before", "after", "door",
    "network", "request", "hash",
)  # fmt: skip


class BadFilter(ValueError):
    """A filter that cannot be; the text says what there is."""


@dataclass(frozen=True)
class Changed:
    """A value that an act changed: where, as it was and as it is; None where there was none."""

    field: str
    before: str | None
    after: str | None


def visible_events(user: AbstractBaseUser | AnonymousUser) -> QuerySet[AuditEvent]:
    """The events that a user may read, newest first: of the reconciliations that they see; what belongs to none (set-up, people,
    sign-ins) only with the right to see every team."""
    if not user.has_perm(READS):  # type: ignore[union-attr]
        return AuditEvent.objects.none()
    events = AuditEvent.objects.filter(sequence__isnull=False).order_by("-sequence")
    if user.has_perm(SEES_ALL):  # type: ignore[union-attr]
        return events
    return events.filter(reconciliation__in=list(Reconciliation.objects.visible_to(user).values_list("pk", flat=True)))


def narrowed(events: QuerySet[AuditEvent], given: Mapping[str, str]) -> QuerySet[AuditEvent]:
    """The events under the filters of an address; an empty value asks for everything. BadFilter says which cannot be."""
    asked = {name: str(given.get(name) or "").strip().replace("\0", "") for name in FILTERS}
    if asked["action"] and asked["action"] not in ACTIONS:
        raise BadFilter(f"There is no action {asked['action'][:40]!r}{nearest_end(asked['action'], ACTIONS)}")
    exact = {"actor": "actor_name", "action": "action", "kind": "kind", "request": "request"}
    found = events.filter(**{column: asked[name] for name, column in exact.items() if asked[name]})
    if asked["object"]:
        found = found.filter(Q(object_id=asked["object"]) | Q(name=asked["object"]))
    if asked["run"]:
        found = found.filter(run=id_of(asked["run"]))
    if asked["reconciliation"]:
        code = asked["reconciliation"]
        found = found.filter(reconciliation__in=Reconciliation.objects.filter(code=code).values("pk"))
    if (since := _moment(asked["from"], dt.time.min)) is not None:
        found = found.filter(at__gte=since)
    if (until := _moment(asked["to"], dt.time.max)) is not None:
        found = found.filter(at__lte=until)
    return found


def _moment(text: str, time: dt.time) -> dt.datetime | None:
    try:
        return dt.datetime.combine(given_date(text), time, dt.UTC) if text else None
    except NoDate as error:
        raise BadFilter(str(error)) from None


def changes_of(event: AuditEvent) -> list[Changed]:
    """What differs between before and after, a line a value; of an act without a before all that is told of it."""
    return changes_between(event.before, event.after)


def changes_between(was: object, now: object) -> list[Changed]:
    """What differs between two documents, a line a value."""
    before, after = dict(_values(was)), dict(_values(now))
    names = dict.fromkeys([*after, *before])
    return [Changed(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _values(document: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a document as a text, under its path; a list is one value."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _values(value, f"{name}.{key}" if name else str(key))
    elif document not in (None, "", []):
        yield name, document if isinstance(document, str) else _text(document)


def _text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(it, str) for it in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False)


def lines_of(events: QuerySet[AuditEvent], read: int) -> Iterator[tuple[object, ...]]:
    """The events as lines of `COLUMNS`; before and after are JSON texts."""
    codes = dict(Reconciliation.objects.values_list("pk", "code"))
    for it in events.iterator(chunk_size=read):
        yield (
            it.sequence, it.at.isoformat(), it.actor_name, it.action, it.kind, it.object_id, it.name, it.run,
            codes.get(it.reconciliation or 0, ""), _json(it.before), _json(it.after), it.door, it.address, it.request, it.hash,
        )  # fmt: skip


def _json(document: object) -> str:
    return "" if document is None else json.dumps(document, ensure_ascii=False, sort_keys=True)
