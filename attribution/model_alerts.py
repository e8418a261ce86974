"""Alerts of models that cannot speak: raised once while it lasts, cleared when the model is back or another one speaks."""

import datetime as dt

from django.utils import timezone

from attribution.artifacts import check_bytes
from attribution.models import ModelVersion
from attribution.registry import champion_of, pinned_version
from ingestion.alerts import clear_events, raise_event
from ingestion.lake import AlteredFile
from ingestion.models import Alert
from reconciliation.models import Reconciliation

UNREADABLE = "model.unreadable"


def tell_unreadable(
    reconciliation: Reconciliation, version: str, sentence: str, now: dt.datetime | None = None
) -> Alert | None:
    """Raise the alert of a model that has to speak and cannot; None while it stands already."""
    return raise_event(
        event=UNREADABLE,
        mark=_mark(reconciliation, version),
        sentence=f"Model {version} of {reconciliation} cannot speak, so nothing that differs passes. {sentence}",
        sources=[reconciliation.a, reconciliation.b],
        reconciliation=reconciliation.pk,
        link="/models/",
        now=now or timezone.now(),
    )


def tell_readable(reconciliation: Reconciliation, version: str) -> None:
    """Clear the alert of a model that speaks."""
    clear_events(event=UNREADABLE, marks=[_mark(reconciliation, version)], now=timezone.now())


def check_champions(now: dt.datetime) -> list[Alert]:
    """Look at the bytes of every model that has to speak; gives the new alerts. What is whole again, or has no longer to speak, is
    cleared."""
    broken = {}
    for reconciliation in Reconciliation.objects.select_related("a", "b"):
        if (version := pinned_version(reconciliation)) and (sentence := _fault(reconciliation, version)):
            broken[_mark(reconciliation, version)] = (reconciliation, version, sentence)
    standing = Alert.objects.filter(event=UNREADABLE, cleared_at=None).values_list("mark", flat=True)
    clear_events(event=UNREADABLE, marks=[mark for mark in standing if mark not in broken], now=now)
    raised = (tell_unreadable(*it, now=now) for it in broken.values())
    return [alert for alert in raised if alert is not None]


def _fault(reconciliation: Reconciliation, version: str) -> str:
    champion: ModelVersion | None = champion_of(reconciliation)
    if champion is None:
        return f"Model {version} is no longer in the registry. Restore it from a backup, or promote another one."
    try:
        check_bytes(champion)
    except AlteredFile as error:
        return str(error)
    return ""


def _mark(reconciliation: Reconciliation, version: str) -> str:
    return f"{reconciliation.code} {version}"
