"""Runs that start by themselves: when both sides of a date have arrived, or by schedule; once for a pair of deliveries."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from ingestion import custody
from ingestion.models import ClaimedWork, Delivery, Normalization, Source
from reconciliation.models import AutomaticRun, Reconciliation, Run, RunInput
from reconciliation.runs import start_run

LOOK_BACK = dt.timedelta(days=31)  # since when what arrived may start a run
MOST_DATES = 31
Newest = dict[dt.date, int]


def watching(source: Source | None = None) -> QuerySet[Reconciliation]:
    """The reconciliations that run on arrival; those of one source, or all."""
    found = Reconciliation.objects.filter(runs_on_arrival=True).select_related("a", "b").order_by("pk")
    return found if source is None else found.filter(Q(a=source) | Q(b=source))


def start_arrived(reconciliations: Iterable[Reconciliation], now: dt.datetime) -> list[Run]:
    """Start a run for each business date whose two sides have arrived, if something of them was not run yet."""
    return [run for it in reconciliations for run in _start(it, now, by="arrival", needs_both=True)]


def start_scheduled(reconciliation: Reconciliation, now: dt.datetime) -> list[Run]:
    """Start a run for each business date of which something was not run yet, though one side may be missing."""
    return _start(reconciliation, now, by="schedule", needs_both=False)


@transaction.atomic
def _start(reconciliation: Reconciliation, now: dt.datetime, *, by: str, needs_both: bool) -> list[Run]:
    if not _fresh_dates(reconciliation, now):
        return []
    Reconciliation.objects.select_for_update().get(pk=reconciliation.pk)  # two workers find the same dates
    dates = _fresh_dates(reconciliation, now)
    newest_a, newest_b = (_newest(source, dates) for source in (reconciliation.a, reconciliation.b))
    pairs = [(date, newest_a.get(date), newest_b.get(date)) for date in dates]
    ready = [pair for pair in pairs if not needs_both or all(pair)]
    return [run for pair in ready[:MOST_DATES] if (run := _run(reconciliation, *pair, by=by)) is not None]


def _run(reconciliation: Reconciliation, date: dt.date, a: int | None, b: int | None, *, by: str) -> Run | None:
    """A run for a pair of deliveries; None where one was started for it before."""
    if AutomaticRun.objects.filter(reconciliation=reconciliation, a=a, b=b).exists():
        return None
    run = start_run(reconciliation=reconciliation, business_date=date, by=by)
    started = AutomaticRun.objects.create(run=run, reconciliation=reconciliation, a_id=a, b_id=b)
    custody.seal([started])
    return run


def _fresh_dates(reconciliation: Reconciliation, now: dt.datetime) -> list[dt.date]:
    """The dates with a delivery that no run took and none will: no run of the date waits, nothing of it is still being read."""
    sides = (("a", reconciliation.a_id), ("b", reconciliation.b_id))
    dates = {date for side, source in sides for date in _untaken(reconciliation, side, source, now)}
    waiting = Run.objects.filter(reconciliation=reconciliation, state=Run.State.WAITING, business_date__in=dates)
    reading = Normalization.objects.filter(
        delivery__source__in=[source for _, source in sides],
        delivery__business_date__in=dates,
        state__in=Normalization.UNDER_WAY,
    )
    busy = {
        *waiting.values_list("business_date", flat=True),
        *reading.values_list("delivery__business_date", flat=True),
    }
    return sorted(dates - busy)


def _untaken(reconciliation: Reconciliation, side: str, source: int, now: dt.datetime) -> set[dt.date]:
    taken = RunInput.objects.filter(
        run__reconciliation=reconciliation, side=side, normalization__delivery=OuterRef("pk")
    ).exclude(run__state=Run.State.FAILED)
    recent = Delivery.objects.filter(source=source, received_at__gt=now - LOOK_BACK)
    return set(_read(recent).filter(~Exists(taken)).order_by().values_list("business_date", flat=True).distinct())


def _read(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    done = Normalization.objects.filter(delivery=OuterRef("pk"), state=ClaimedWork.State.DONE)
    return deliveries.filter(Exists(done))


def _newest(source: Source, dates: Iterable[dt.date]) -> Newest:
    """The newest readable delivery of each date."""
    found = _read(Delivery.objects.filter(source=source, business_date__in=dates)).order_by()
    return dict(found.values_list("business_date").annotate(Max("pk")))
