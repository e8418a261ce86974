"""Retention: raw bytes are deleted when their source's time is over, and a tombstone stands in their place."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Sum, Value

from ingestion import custody, lake
from ingestion.models import Delivery, Normalization, Tombstone

DAY = dt.timedelta(days=1)
State = Normalization.State


@dataclass
class Forgotten:
    """What was deleted: deliveries and bytes; and which files were kept, with why."""

    deliveries: int = 0
    size: int = 0
    kept: list[str] = field(default_factory=list)


def due(now: dt.datetime) -> QuerySet[Delivery]:
    """The deliveries whose raw bytes are held longer than their source says. What was never read, or is being read, is
    not due: its rows are nowhere else."""
    readings = Normalization.objects.filter(delivery=OuterRef("pk"))
    kept = ExpressionWrapper(F("source__raw_days") * Value(DAY), output_field=DurationField())
    until = ExpressionWrapper(F("received_at") + kept, output_field=DateTimeField())
    held = Delivery.objects.filter(tombstone=None, source__raw_days__isnull=False).annotate(until=until)
    read = held.filter(
        Exists(readings.filter(state=State.DONE)), ~Exists(readings.filter(state__in=Normalization.UNDER_WAY))
    )
    return read.filter(until__lt=now).select_related("source").order_by("pk")


def forget(*, now: dt.datetime, by: str) -> Forgotten:
    """Delete the raw bytes that are due. A file that was changed by hand stays, as evidence."""
    done = Forgotten()
    for path in _left_behind(now):
        lake.local(path).unlink(missing_ok=True)
    for delivery in due(now).iterator():
        try:
            if not _forget(delivery, now, by):
                continue
        except lake.AlteredFile as error:
            done.kept.append(f"{delivery}: {error}")
            continue
        done.deliveries += 1
        done.size += delivery.size
    return done


@transaction.atomic
def _forget(delivery: Delivery, now: dt.datetime, by: str) -> bool:
    """False where it is due no more: somebody was faster, or has it read again."""
    Delivery.objects.select_for_update().get(pk=delivery.pk)
    if not due(now).filter(pk=delivery.pk).exists():
        return False
    path = lake.checked(delivery.path, delivery.sha256)
    rule = f"{delivery.source.code}: raw bytes are kept for {delivery.source.raw_days} days"
    stone = Tombstone.objects.create(delivery=delivery, deleted_at=now, rule=rule, deleted_by=by)
    custody.seal([stone])
    transaction.on_commit(partial(path.unlink, missing_ok=True))
    return True


def _left_behind(now: dt.datetime) -> Iterator[str]:
    """Files whose tombstone was written, but whose deletion was cut off."""
    lately = Tombstone.objects.filter(deleted_at__gt=now - 7 * DAY)
    return (path for path in lately.values_list("delivery__path", flat=True) if lake.local(path).exists())


def deleted_in_all() -> tuple[int, int]:
    """How many deliveries have a tombstone, and the bytes that they had."""
    stones = Tombstone.objects.all()
    return stones.count(), stones.aggregate(size=Sum("delivery__size"))["size"] or 0
