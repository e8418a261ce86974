"""Expectations: what each source with a deadline owes, which of it came, and the alert where it did not come in time."""

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery

from ingestion.alerts import raise_alert
from ingestion.deadlines import DAY, Week, due_at
from ingestion.models import Alert, ClaimedWork, Deadline, Delivery, Expectation, Normalization

LOOK_BACK = 7  # days that a clock which stood still may catch up on
Planned = dict[tuple[int, dt.date], tuple[dt.datetime, dt.datetime]]


def readable(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those that count as arrived: whatever could not be read is as good as not there."""
    made = Normalization.objects.filter(delivery=OuterRef("pk"))
    failed = made.filter(state=ClaimedWork.State.FAILED)
    return deliveries.filter(~Exists(failed) | Exists(made.exclude(state=ClaimedWork.State.FAILED)))


def arrivals(sources: Collection[int], since: dt.date) -> dict[tuple[int, dt.date], dt.datetime]:
    """When the first readable delivery of each (source, business date) came."""
    found = readable(Delivery.objects.filter(source__in=sources, business_date__gte=since)).order_by()
    return {
        (source, date): came
        for source, date, came in found.values_list("source", "business_date").annotate(Min("received_at"))
    }


@transaction.atomic
def plan_expectations(now: dt.datetime) -> None:
    """Write down what is owed by now. Until it is late it follows deadline and calendar; after that it stays as it was."""
    deadlines = Deadline.objects.select_related("source__calendar").prefetch_related("source__calendar__holidays")
    wanted: Planned = {}
    for deadline in deadlines:
        wanted |= _owed(deadline, now)
    first = min((date for _, date in wanted), default=now.date())
    standing = Expectation.objects.filter(Q(business_date__gte=first) | Q(late_at__gt=now))
    held = {(it.source_id, it.business_date): it for it in standing}
    fresh = [
        Expectation(source_id=key[0], business_date=key[1], due_at=due, late_at=late)
        for key, (due, late) in wanted.items()
        if key not in held
    ]
    Expectation.objects.bulk_create(fresh, ignore_conflicts=True)
    _follow({key: it for key, it in held.items() if it.late_at > now}, wanted)


def _owed(deadline: Deadline, now: dt.datetime) -> Planned:
    """The business dates until today where the source is, each with due and late; none that was due before the deadline was set."""
    week = Week.of(deadline.source.calendar)
    today = now.astimezone(ZoneInfo(deadline.zone)).date()
    dates = (today - DAY * back for back in range(3 * LOOK_BACK + 2 * deadline.after))
    owed = {date: due_at(deadline, week, date) for date in dates if week.works(date)}
    grace = dt.timedelta(minutes=deadline.grace)
    since = max(deadline.since, now - DAY * LOOK_BACK)
    return {(deadline.source_id, date): (due, due + grace) for date, due in owed.items() if due > since}


def _follow(open_: dict[tuple[int, dt.date], Expectation], wanted: Planned) -> None:
    """Bring what is not late yet to what is wanted now; a day that became a holiday owes nothing."""
    gone = [it.pk for key, it in open_.items() if key not in wanted]
    Expectation.objects.filter(pk__in=gone).delete()
    moved = [it for key, it in open_.items() if key in wanted and wanted[key] != (it.due_at, it.late_at)]
    for it in moved:
        it.due_at, it.late_at = wanted[it.source_id, it.business_date]
    Expectation.objects.bulk_update(moved, ["due_at", "late_at"])


def raise_alerts(now: dt.datetime) -> list[Alert]:
    """Raise an alert for each expectation that is late and was not met in time; gives the new ones."""
    came = readable(Delivery.objects.filter(source=OuterRef("source"), business_date=OuterRef("business_date")))
    first = came.order_by("received_at").values("received_at")[:1]
    late = Expectation.objects.filter(
        ~Exists(Alert.objects.filter(expectation=OuterRef("pk"))),
        late_at__lte=now,
        late_at__gt=now - 2 * DAY * LOOK_BACK,
    ).annotate(came=Subquery(first))
    overdue = late.filter(Q(came=None) | Q(came__gt=F("late_at"))).order_by("late_at")
    raised = (raise_alert(it, it.came, now) for it in overdue.select_related("source"))
    return [alert for alert in raised if alert is not None]
