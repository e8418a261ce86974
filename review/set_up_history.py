"""The versions of a thing of the set-up: what each changed, by whom, through which door; for who may read the audit log."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model

from ingestion.history import BEGAN
from ingestion.models import Source
from reconciliation.models import Reconciliation
from reconciliation.models.reconciliation import SEES_ALL
from reconciliation.visibility import visible_sources
from review.audit_events import READS, Changed, changes_between

KINDS = {
    "recordtype": "ingestion.RecordType", "field": "ingestion.Field", "source": "ingestion.Source",
    "mapping": "ingestion.Mapping", "codetranslation": "ingestion.CodeTranslation", "calendar": "ingestion.Calendar",
    "holiday": "ingestion.Holiday", "deadline": "ingestion.Deadline", "alerttarget": "ingestion.AlertTarget",
    "schedule": "ingestion.Schedule", "team": "reconciliation.Team", "reconciliation": "reconciliation.Reconciliation",
    "reason": "attribution.Reason",
}  # fmt: skip
EVERYBODYS = ("calendar", "holiday", "reason")  # what belongs to no team
MOST = 200  # versions that are shown
LABELS = {"insert": "Added", "update": "Changed", "delete": "Removed", BEGAN: "Kept from here on"}
BY_HAND = "by hand"


@dataclass(frozen=True)
class Version:
    """One version of a row: what differs from the one before."""

    at: dt.datetime
    did: str
    by: str
    door: str
    request: str
    changes: list[Changed]

    @property
    def has_before(self) -> bool:
        """Whether there was anything before it."""
        return any(it.before is not None for it in self.changes)


def may_see(user: AbstractBaseUser | AnonymousUser, kind: str, pk: int) -> bool:
    """Whether a user may look at the history of a thing: what is of a team, only its people."""
    if not user.has_perm(READS):  # type: ignore[union-attr]
        return False
    if user.has_perm(SEES_ALL) or kind in EVERYBODYS:  # type: ignore[union-attr]
        return True
    if kind == "reconciliation":
        return Reconciliation.objects.visible_to(user).filter(pk=pk).exists()
    sources = Source.objects.filter(pk=pk) if kind == "source" else _sources(kind, pk)
    return (
        sources is not None and visible_sources(user).filter(pk__in=list(sources.values_list("pk", flat=True))).exists()
    )


def _sources(kind: str, pk: int) -> Any:  # noqa: ANN401
    of = {"mapping": "mappings", "codetranslation": "translations", "deadline": "deadline"}.get(kind)
    return Source.objects.filter(**{of: pk}) if of else None


def versions_of(kind: str, pk: int) -> tuple[str, list[Version]]:
    """What the thing was called last, and its versions, newest first; none where there never was such a thing."""
    model = apps.get_model(KINDS[kind])
    found = list(model.pgh_event_model.objects.filter(pgh_obj_id=pk).order_by("-pgh_id")[: MOST + 1])
    documents = [_document(it) for it in found]
    if not found:
        return "", []
    before = [*documents[1:], {}]
    shown = zip(found[:MOST], documents, before, strict=False)
    return _named(model, documents[0]), [_version(it, was, now) for it, now, was in shown]


def _version(event: Any, was: Mapping[str, object], now: Mapping[str, object]) -> Version:  # noqa: ANN401
    told = event.pgh_context or {}
    ends = event.pgh_label == "delete"
    changes = changes_between(now, {}) if ends else changes_between(was, now)
    did = LABELS.get(event.pgh_label, event.pgh_label)
    by = told.get("by") or ("" if event.pgh_label == BEGAN else BY_HAND)
    return Version(event.pgh_created_at, did, by, told.get("door", ""), told.get("request", ""), changes)


def _document(event: Any) -> dict[str, object]:  # noqa: ANN401
    return dict(_values(event))


def _values(event: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401
    for field in event._meta.fields:
        if not field.name.startswith("pgh_"):
            value = getattr(event, field.attname)
            is_plain = isinstance(value, dict | list | str | int | float | bool | None)
            yield field.verbose_name, value if is_plain else str(value)


def _named(model: type[Model], document: Mapping[str, object]) -> str:
    name = document.get("code") or document.get("name") or document.get("day") or document.get("version") or ""
    return f"{model._meta.verbose_name} {name or document.get('ID', '')}"
