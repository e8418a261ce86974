"""The inbox: the alerts that a person may see, which of them are unread, and how the person wants to hear of them."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.utils import timezone

from ingestion.models import Alert
from reconciliation.visibility import visible_alerts
from review.alert_events import EVENTS, Event
from review.models import AlertChoice, AlertReading

COUNTED = 99  # the bell says no more than "99+"
LOOK_BACK = dt.timedelta(days=30)


class NoSuchChoice(ValueError):
    """An event or a way of telling that there is not; the text says which there are."""


def inbox_of(user: User) -> QuerySet[Alert]:
    """The alerts that a user may see, each with `unread` and `muted`."""
    read = AlertReading.objects.filter(person=user, alert=OuterRef("pk"), read_at__gte=OuterRef("last_at"))
    muted = AlertChoice.objects.filter(person=user, muted=True, event=OuterRef("event"))
    known = Q(last_at__gte=counts_since(user))
    unread = ExpressionWrapper(known & ~Exists(read), output_field=BooleanField())
    return visible_alerts(user).annotate(unread=unread, muted=Exists(muted))


def unread_of(user: User) -> QuerySet[Alert]:
    """Those that count: unread, not muted."""
    return inbox_of(user).filter(last_at__gte=counts_since(user), unread=True, muted=False)  # type: ignore[misc]


def counts_since(user: User) -> dt.datetime:
    """From when on what a user has not read counts."""
    return max(user.date_joined, timezone.now() - LOOK_BACK)


def counted(user: User) -> QuerySet[Alert, int]:
    """The ids of what is unread, one more than the bell counts."""
    return unread_of(user).order_by().values_list("pk", flat=True)[: COUNTED + 1]


def bell_text(count: int) -> str:
    """The number on the bell; empty where everything is read."""
    return f"{COUNTED}+" if count > COUNTED else str(count or "")


@transaction.atomic
def read_alerts(*, by: User, alerts: Collection[int] | None = None, until: dt.datetime | None = None) -> int:
    """Note that a person read alerts, by their ids, or all that are unread and came by `until`. One that was for the person alone is
    over then: the next one is a new line. Gives how many were unread."""
    now = timezone.now()
    mine = inbox_of(by).filter(unread=True)  # type: ignore[misc]
    mine = mine.filter(last_at__lte=until or now) if alerts is None else mine.filter(pk__in=alerts)
    found = list(mine.values_list("pk", flat=True))
    AlertReading.objects.bulk_create(
        (AlertReading(person=by, alert_id=pk, read_at=now) for pk in found),
        update_conflicts=True,
        unique_fields=["person", "alert"],
        update_fields=["read_at"],
    )
    Alert.objects.filter(pk__in=found, person=by, cleared_at=None).update(cleared_at=now)
    return len(found)


def unread_alerts(*, by: User, alerts: Collection[int]) -> int:
    """Make read alerts unread again. Gives how many were read."""
    return AlertReading.objects.filter(person=by, alert__in=alerts).delete()[0]


@transaction.atomic
def choose(*, by: User, event: str, mail: str, muted: bool) -> AlertChoice:
    """Say how a person wants to hear of an event. NoSuchChoice names what there is."""
    if event not in EVENTS:
        raise NoSuchChoice(f"There is no event {event[:40]!r}; there is {', '.join(EVENTS)}.")
    if mail not in AlertChoice.Mail.values:
        raise NoSuchChoice(f"There is no way {mail[:20]!r} of telling; there is {', '.join(AlertChoice.Mail.values)}.")
    chosen, _ = AlertChoice.objects.update_or_create(person=by, event=event, defaults={"mail": mail, "muted": muted})
    return chosen


def choices_of(user: User) -> Sequence[tuple[Event, str, bool]]:
    """Each event with how the user hears of it: its mail, and whether it is muted."""
    held = {it.event: it for it in AlertChoice.objects.filter(person=user)}
    return [
        (event, held[code].mail if code in held else event.mail, code in held and held[code].muted)
        for code, event in EVENTS.items()
    ]


def newest_first(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """In the order of the inbox: what came last first."""
    return alerts.order_by(F("last_at").desc(), "-pk")
