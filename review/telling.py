"""Mails to persons: at once, or a digest a day; each is a notice that is sent, tried again and given up as those of targets."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from ingestion.models import Alert, Notice
from reconciliation.visibility import visible_alerts
from review.alert_events import event_of
from review.inbox import unread_of
from review.models import AlertChoice

AT_A_TIME = 500
DAY = dt.timedelta(days=1)
Mail = AlertChoice.Mail


@transaction.atomic
def write_mails(now: dt.datetime) -> int:
    """Write the notices of new alerts for who wants to hear of them at once. Killed or come twice, it writes each once. Gives how
    many were written."""
    fresh = Alert.objects.select_for_update(skip_locked=True, of=("self",)).filter(told_at=None).order_by("pk")
    if not (found := list(fresh[:AT_A_TIME])):
        return 0
    notices = [
        Notice(alert=alert, person=user, next_at=now)
        for user in _readers()
        for alert in _wanted(user, found, Mail.IMMEDIATE)
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    Alert.objects.filter(pk__in=[it.pk for it in found]).update(told_at=now)
    return len(notices)


def write_digests(now: dt.datetime) -> int:
    """Write a digest for each person with something unread that they want to hear of once a day: what came since the day before.
    Gives how many were written."""
    if now.astimezone(dt.UTC).hour < settings.DIGEST_HOUR:
        return 0
    held = Notice.objects.filter(digest_on=now.date()).values("person")
    notices = [
        Notice(person=user, digest_on=now.date(), counts=counts, next_at=now)
        for user in _readers().exclude(pk__in=held)
        if (counts := _counts(user, now))
    ]
    return len(Notice.objects.bulk_create(notices, ignore_conflicts=True))


def _readers() -> QuerySet[User]:
    return User.objects.filter(is_active=True).exclude(email="").order_by("pk")


def _wanted(user: User, alerts: Sequence[Alert], mail: str) -> Iterator[Alert]:
    """Of new alerts those that a user sees and wants told in this way."""
    chosen = {it.event: it for it in AlertChoice.objects.filter(person=user)}
    seen = set(visible_alerts(user).filter(pk__in=[it.pk for it in alerts]).values_list("pk", flat=True))
    yield from (alert for alert in alerts if alert.pk in seen and _hears(chosen.get(alert.event), alert.event, mail))


def _hears(chosen: AlertChoice | None, event: str, mail: str) -> bool:
    if chosen is None:
        return event_of(event).mail == mail
    return chosen.mail == mail and not chosen.muted


def _counts(user: User, now: dt.datetime) -> dict[str, int]:
    """How many unread alerts of each event, by its title."""
    chosen = {it.event: it for it in AlertChoice.objects.filter(person=user)}
    events = unread_of(user).filter(last_at__gt=now - DAY).values_list("event", flat=True)
    return dict(Counter(event_of(it).title for it in events if _hears(chosen.get(it), it, Mail.DIGEST)))
