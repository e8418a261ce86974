"""Alerts: raised once a thing, each with a notice for every target that wants to hear of a source that it concerns."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction
from django.db.models import Q

from ingestion.changes import Change, ChangeRefused, save_named, tell
from ingestion.models import Alert, AlertTarget, Expectation, Normalization, Notice, Source
from ingestion.models.alert import PREFIX


@transaction.atomic
def raise_alert(expectation: Expectation, arrived_at: dt.datetime | None, now: dt.datetime) -> Alert | None:
    """Raise the alert of an expectation and write its notices; None when it was raised before."""
    alert, is_new = Alert.objects.get_or_create(
        expectation=expectation, defaults={"raised_at": now, "arrived_at": arrived_at}
    )
    if not is_new:
        return None
    _tell(alert, [expectation.source], now)
    return alert


def raise_mismatch(normalization: Normalization, now: dt.datetime) -> None:
    """Raise the alert of a delivery whose control totals do not agree, once; call it in the transaction that says so."""
    alert, is_new = Alert.objects.get_or_create(normalization=normalization, defaults={"raised_at": now})
    if is_new:
        _tell(alert, [normalization.delivery.source], now)


@transaction.atomic
def raise_event(*, event: str, mark: str, sentence: str, sources: Sequence[Source], now: dt.datetime) -> Alert | None:
    """Raise the alert of an event (`gate.closed`, say), once for its mark while it stands; None when it was raised before. The
    sentence names codes and counts, never a record."""
    alert, is_new = Alert.objects.get_or_create(
        event=event, mark=mark, cleared_at=None, defaults={"raised_at": now, "sentence": sentence[:500]}
    )
    if not is_new:
        return None
    alert.sources.set(sources)
    _tell(alert, sources, now)
    return alert


def clear_events(*, event: str, marks: Collection[str], now: dt.datetime) -> int:
    """Say that events which lasted are over, so that they are told again when they come again. Gives how many stood."""
    return Alert.objects.filter(event=event, mark__in=marks, cleared_at=None).update(cleared_at=now) if marks else 0


def _tell(alert: Alert, sources: Sequence[Source], now: dt.datetime) -> None:
    Notice.objects.bulk_create(Notice(alert=alert, target=target, next_at=now) for target in targets_of(*sources))


def targets_of(*sources: Source) -> list[AlertTarget]:
    """The active targets that chose one of these sources, or none in particular."""
    wanting = AlertTarget.objects.filter(Q(sources=None) | Q(sources__in=sources), active=True)
    return list(wanting.distinct().order_by("pk"))


@transaction.atomic
def put_target(
    *, code: str, kind: str, address: str, secret: str = "", sources: list[Source], active: bool = True
) -> list[Change]:
    """Add or change a target. ChangeRefused says which value cannot be."""
    if sentence := target_fault(kind, address, secret):
        raise ChangeRefused(sentence)
    values = {"kind": kind, "address": address, "secret": secret, "active": active}
    said = save_named(AlertTarget, code, values)
    target = AlertTarget.objects.get(code=code)
    held = set(target.sources.all())
    if held != set(sources):
        target.sources.set(sources)
        named = ", ".join(sorted(it.code for it in sources)) or "every source"
        change = Change(AlertTarget, "change", f"alert target {code}: now of {named}")
        tell([change], of=target, before={"sources": _codes(held)}, after={"sources": _codes(sources)})
        said = said or [change]
    return said


def _codes(sources: Iterable[Source]) -> list[str]:
    return sorted(source.code for source in sources)


def target_fault(kind: str, address: str, secret: str) -> str:
    """What is wrong with a target's values; empty when nothing is."""
    if kind == AlertTarget.Kind.EMAIL:
        return _email_fault(address, secret)
    return _webhook_fault(address, secret)


def _email_fault(address: str, secret: str) -> str:
    try:
        validate_email(address)
    except ValidationError:
        return f"{address!r} is no e-mail address such as operations@example.com."
    return "An e-mail is not signed; leave the secret out." if secret else ""


def _webhook_fault(address: str, secret: str) -> str:
    try:
        URLValidator(schemes=["https", "http"])(address)
    except ValidationError:
        return f"{address!r} is no address such as https://alerts.example.com/tieout."
    if "@" in address.split("/")[2]:
        return "An address holds no user or password; the receiver checks the signature."
    if not secret.startswith(PREFIX) or secret == PREFIX:
        return f"The secret is the name of a variable that begins with {PREFIX}, such as {PREFIX}ALERTS, never the secret itself."
    return ""


@transaction.atomic
def revive(notice: Notice, now: dt.datetime) -> None:
    """Try a dead letter again, for a person who mended its cause."""
    Notice.objects.filter(pk=notice.pk, sent_at=None, dead_at__isnull=False).update(
        dead_at=None, attempts=0, next_at=now
    )
