"""Expectations: what each source with a deadline owes, which of it came, and the alert where it did not come in time."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

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


def _with_arrival(expectations: QuerySet[Expectation]) -> QuerySet[Expectation]:
    """Each with `came`: when its first readable delivery came."""
    given = readable(Delivery.objects.filter(source=OuterRef("source"), business_date=OuterRef("business_date")))
    return expectations.annotate(came=Subquery(given.order_by("received_at").values("received_at")[:1]))


def _unsettled() -> QuerySet[Expectation]:
    """Those that were neither met in time nor raised an alert."""
    told = Exists(Alert.objects.filter(expectation=OuterRef("pk")))
    return _with_arrival(Expectation.objects.filter(~told)).filter(Q(came=None) | Q(came__gt=F("late_at")))


@transaction.atomic
def plan_expectations(now: dt.datetime) -> None:
    """Write down what is owed by now. Until it is met or raised an alert it follows deadline and calendar."""
    deadlines = Deadline.objects.select_related("source__calendar").prefetch_related("source__calendar__holidays")
    wanted: Planned = {}
    for deadline in deadlines:
        wanted |= _owed(deadline, now)
    first = min((date for _, date in wanted), default=now.date())
    held = set(Expectation.objects.filter(business_date__gte=first).values_list("source_id", "business_date"))
    fresh = [
        Expectation(source_id=key[0], business_date=key[1], due_at=due, late_at=late)
        for key, (due, late) in wanted.items()
        if key not in held
    ]
    Expectation.objects.bulk_create(fresh, ignore_conflicts=True)
    recent = _unsettled().filter(late_at__gt=now - DAY * LOOK_BACK)
    _follow({(it.source_id, it.business_date): it for it in recent}, wanted)


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
    """Bring what is open to what is wanted now; a day that became a holiday owes nothing."""
    gone = [it.pk for key, it in open_.items() if key not in wanted]
    Expectation.objects.filter(pk__in=gone).delete()
    moved = [it for key, it in open_.items() if key in wanted and wanted[key] != (it.due_at, it.late_at)]
    for it in moved:
        it.due_at, it.late_at = wanted[it.source_id, it.business_date]
    Expectation.objects.bulk_update(moved, ["due_at", "late_at"])


def raise_alerts(now: dt.datetime) -> list[Alert]:
    """Raise an alert for each expectation that is late and was not met in time; gives the new ones."""
    overdue = _unsettled().filter(late_at__lte=now, late_at__gt=now - 2 * DAY * LOOK_BACK).order_by("late_at")
    raised = (raise_alert(it, it.came, now) for it in overdue.select_related("source"))  # type: ignore[attr-defined]
    return [alert for alert in raised if alert is not None]
