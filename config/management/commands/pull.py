"""Pull a source: take what it holds ready."""

import time
from argparse import ArgumentParser
from functools import partial

from django.conf import settings
from django.core.management.base import CommandError

from config.command import QuickCommand
from config.doors import known_source
from config.side_by_side import side_by_side
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import Delivery, Source
from ingestion.pull import Pulled, pull


class Command(QuickCommand):
    help = "Take what a drop or table source holds ready, and normalize it. A file is taken when it is the same twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """SOURCE."""
        parser.add_argument("source")
        parser.add_argument("--wait", type=float, default=2.0, help="seconds before the second look; 0: only one look")

    def handle(self, *, source: str, wait: float, **_: object) -> None:
        """Say what was taken, a line each."""
        try:
            pulled = self._pull(known_source(source), wait)
        except IngestionError as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{source}: {pulled.sentence()}.")
        told = self._normalize_all(pulled.taken) | pulled.failed
        failed = {name: sentence for name, sentence in told.items() if sentence}
        for name, sentence in failed.items():
            self.stderr.write(f"  {name}: {sentence}")
        if failed:
            raise CommandError(f"{len(failed)} of what {source} holds ready could not be taken in.")

    def _pull(self, source: Source, wait: float) -> Pulled:
        first = pull(source)
        if not (first.waiting and wait):
            return first
        time.sleep(wait)
        second = pull(source)
        second.taken |= first.taken
        return second

    def _normalize_all(self, taken: dict[str, Delivery]) -> dict[str, str]:
        """What went wrong, by name; in as many shares as there are cores to read them."""
        things = list(taken.items())
        shares = [things[start :: settings.ENGINE_THREADS] for start in range(settings.ENGINE_THREADS)]

        def normalize(share: list[tuple[str, Delivery]]) -> dict[str, str]:
            return {name: self._normalize(name, delivery) for name, delivery in share}

        told = side_by_side([partial(normalize, share) for share in shares if share])
        return {name: sentence for share in told for name, sentence in share.items()}

    def _normalize(self, name: str, delivery: Delivery) -> str:
        try:
            work = normalize_delivery(plan_normalization(delivery))
        except IngestionError as error:
            return str(error)
        self.stdout.write(
            f"  {name}: delivery {delivery.pk} of {delivery.business_date}, {work.received} rows, "
            f"{work.quarantined} quarantined."
        )
        return work.error
