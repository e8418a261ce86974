"""Alerts: one line a thing while it lasts, each with a notice for every target that wants to hear of what it concerns."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction
from django.db.models import F, Q

from ingestion.changes import Change, ChangeRefused, save_named, tell
from ingestion.models import Alert, AlertTarget, Expectation, Normalization, Notice, Source
from ingestion.models.alert import PREFIX

LATE, MISSING, MISMATCH, QUARANTINED = "delivery.late", "delivery.missing", "delivery.mismatch", "delivery.quarantined"
Teams = Callable[[Sequence[Source], int | None], Collection[str]]
_TEAMS: list[Teams] = []


def teams_by(teams: Teams) -> None:
    """Let a higher app say which teams work on sources, or on a reconciliation by its id."""
    _TEAMS.append(teams)


@transaction.atomic
def raise_alert(expectation: Expectation, arrived_at: dt.datetime | None, now: dt.datetime) -> Alert | None:
    """Raise the alert of an expectation and write its notices; None when it was raised before."""
    about = f"{expectation.source} of {expectation.business_date}"
    said = {
        "event": LATE if arrived_at else MISSING,
        "mark": about,
        "sentence": f"{about} is {'late' if arrived_at else 'missing'}.",
        "link": "/",
        "arrived_at": arrived_at,
        "cleared_at": arrived_at and now,
    }
    return _raised({"expectation": expectation}, said, [expectation.source], now)


def raise_mismatch(normalization: Normalization, now: dt.datetime) -> Alert | None:
    """Raise the alert of a delivery whose control totals do not agree; None when it was raised before. Call it in the transaction
    that says so."""
    delivery = normalization.delivery
    said = {
        "event": MISMATCH,
        "mark": f"normalization {normalization.pk}",
        "sentence": f"{delivery.source} of {delivery.business_date} does not agree with its control totals.",
        "link": f"/deliveries/{delivery.pk}/",
    }
    return _raised({"normalization": normalization}, said, [delivery.source], now)


def raise_quarantined(normalization: Normalization, rows: int, now: dt.datetime) -> None:
    """Say that rows of a source's delivery are quarantined; a delivery without any clears that. Call it in the transaction that
    read the delivery."""
    delivery = normalization.delivery
    mark = str(delivery.source)
    if not rows:
        clear_events(event=QUARANTINED, marks=[mark], now=now)
        return
    are = "row is" if rows == 1 else "rows are"
    raise_event(
        event=QUARANTINED,
        mark=mark,
        sentence=f"{rows:,} {are} quarantined of {delivery.source} of {delivery.business_date}.",
        link=f"/quarantine/?source={delivery.source}&date={delivery.business_date}",
        sources=[delivery.source],
        occurrence=f"normalization {normalization.pk}",
        now=now,
    )


@transaction.atomic
def raise_event(
    *,
    event: str,
    mark: str,
    sentence: str,
    now: dt.datetime,
    sources: Sequence[Source] = (),
    reconciliation: int | None = None,
    person: User | None = None,
    link: str = "",
    occurrence: str = "",
    times: int = 1,
) -> Alert | None:
    """Raise the alert of an event (`gate.closed`, say), one line for its mark while it lasts; None when it stands already.

    Where it stands, another `occurrence` is counted (`times` of them) and makes it unread again; without one, or with the one that came
    last, nothing happens. With a `person` it is for that person alone, and no target hears of it. The sentence names codes and
    counts, never a record; `link` is a path of this site.
    """
    if person is not None:
        mark = f"{mark} for {person.pk}"
    words = {"sentence": " ".join(sentence.split())[:500], "link": link, "occurrence": occurrence}
    line = {"event": event, "mark": mark[:160], "cleared_at": None}
    more = {"count": times, "reconciliation": reconciliation, "person": person}
    if (alert := _raised(line, {**words, **more}, sources, now)) is None and occurrence:
        again = Alert.objects.filter(**line).exclude(occurrence=occurrence)
        again.update(**words, last_at=now, count=F("count") + times)
    return alert


def clear_events(*, event: str, marks: Collection[str], now: dt.datetime) -> int:
    """Say that events which lasted are over, so that they are told again when they come again. Gives how many stood."""
    return Alert.objects.filter(event=event, mark__in=marks, cleared_at=None).update(cleared_at=now) if marks else 0


def clear_arrived(now: dt.datetime) -> int:
    """Say that what was missing has come."""
    come = Q(expectation__source__deliveries__business_date=F("expectation__business_date"))
    arrived = Alert.objects.filter(come, event=MISSING, cleared_at=None).values("pk")
    return Alert.objects.filter(pk__in=arrived).update(cleared_at=now)


def _raised(
    line: Mapping[str, object], said: Mapping[str, object], sources: Sequence[Source], now: dt.datetime
) -> Alert | None:
    """The alert of a line, with its sources and a notice for each target that wants to hear of it; None when it stands already."""
    alert, is_new = Alert.objects.get_or_create(**line, defaults={**said, "raised_at": now, "last_at": now})
    if not is_new:
        return None
    alert.sources.set(sources)
    if alert.person_id is None:
        wanting = targets_of(*sources, reconciliation=alert.reconciliation)
        Notice.objects.bulk_create(Notice(alert=alert, target=target, next_at=now) for target in wanting)
    return alert


def targets_of(*sources: Source, reconciliation: int | None = None) -> list[AlertTarget]:
    """The active targets that chose one of these sources or none in particular, and no team or one that works on it."""
    teams = {code for ask in _TEAMS for code in ask(sources, reconciliation)}
    wanting = AlertTarget.objects.filter(Q(sources=None) | Q(sources__in=sources), active=True)
    return list(wanting.filter(Q(team=None) | Q(team__in=teams)).distinct().order_by("pk"))


@transaction.atomic
def put_target(
    *,
    code: str,
    kind: str,
    address: str,
    secret: str = "",
    sources: list[Source],
    team: str | None = None,
    active: bool = True,
) -> list[Change]:
    """Add or change a target. ChangeRefused says which value cannot be."""
    if sentence := target_fault(kind, address, secret):
        raise ChangeRefused(sentence)
    values = {"kind": kind, "address": address, "secret": secret, "team": team or None, "active": active}
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
