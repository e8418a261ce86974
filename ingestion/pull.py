"""Pulling a source: what it holds ready becomes deliveries, each thing once."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from ingestion import lake
from ingestion.arrival import take_in
from ingestion.connectors.kinds import connector_of
from ingestion.connectors.offer import Connector, Offer, PullError
from ingestion.errors import IngestionError
from ingestion.models import Delivery, OfferedThing, Source

LOCK = 0x7069  # the advisory lock's class; its object is the source


class PullBusy(PullError):
    """Another pull of the source is at work."""


@dataclass
class Pulled:
    """What a pull did, by name: taken (with their deliveries), waiting for a second look, known, failed (with why)."""

    taken: dict[str, Delivery] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """One line for people."""
        counts = (("taken", self.taken), ("waiting for a second look", self.waiting), ("known", self.known))
        told = [f"{len(things)} {name}" for name, things in counts if things]
        told += [f"{len(self.failed)} failed"] if self.failed else []
        return ", ".join(told) or "nothing there"


def pull(source: Source, *, by: str = "") -> Pulled:
    """Take what the source holds ready. PullError when it cannot be asked, or another pull of it is at work.

    A thing is taken when it is the same twice; what was taken is known by its content, whatever it is called.
    """
    with _alone(source):
        connector, pulled = connector_of(source), Pulled()
        known = {it.name: it for it in OfferedThing.objects.filter(source=source)}
        for offer in connector.offers():
            _consider(source, connector, offer, known.get(offer.name), pulled, by)
        return pulled


@contextmanager
def _alone(source: Source) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, source.pk])
        if not cursor.fetchone()[0]:
            raise PullBusy(f"{source.code} is being pulled already. Its files will be there when that ends.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, source.pk])


def _consider(
    source: Source, connector: Connector, offer: Offer, known: OfferedThing | None, pulled: Pulled, by: str
) -> None:
    same = known if known is not None and known.mark == offer.mark else None
    if not offer.settled:
        if same is None:
            _remember(source, offer)
            pulled.waiting.append(offer.name)
            return
        if same.taken_at is not None:
            pulled.known.append(offer.name)
            return
    try:
        _take(source, connector, offer, pulled, by)
    except IngestionError as error:
        pulled.failed[offer.name] = str(error)
        _remember(source, offer, error=str(error)[:1000])


def _remember(source: Source, offer: Offer, *, error: str = "") -> None:
    """Write down what was seen; a changed mark makes it new."""
    now = timezone.now()
    thing, is_new = OfferedThing.objects.get_or_create(
        source=source, name=offer.name[:1000], defaults={"mark": offer.mark, "seen_at": now, "error": error}
    )
    if not is_new and (thing.mark != offer.mark or thing.error != error):
        if thing.mark != offer.mark:
            thing.mark, thing.seen_at, thing.taken_at, thing.delivery = offer.mark, now, None, None
        thing.error = error
        thing.save()


def _take(source: Source, connector: Connector, offer: Offer, pulled: Pulled, by: str) -> None:
    folder = lake.work_folder(f"pull-{source.pk}")
    try:
        file = folder / "bytes"
        reached = connector.fetch(offer, file)
        if reached is None:
            pulled.known.append(offer.name)
            return
        digest = lake.sha256_of(file)
        delivery = Delivery.objects.filter(source=source, sha256=digest).order_by("pk").first()
        if delivery is None or offer.settled:
            name = offer.name.rsplit("/", 1)[-1]
            delivery = take_in(
                source=source, file=file, name=name, given=offer.date, by=by or f"pull:{source.code}"
            ).delivery
            pulled.taken[offer.name] = delivery
        else:
            pulled.known.append(offer.name)
        _settle(source, offer, reached, delivery, timezone.now())
    finally:
        lake.discard(folder)


def _settle(source: Source, offer: Offer, reached: str, delivery: Delivery, now: dt.datetime) -> None:
    OfferedThing.objects.update_or_create(
        source=source,
        name=offer.name[:1000],
        defaults={"mark": reached, "seen_at": now, "taken_at": now, "delivery": delivery, "error": ""},
    )
