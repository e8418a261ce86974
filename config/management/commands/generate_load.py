"""A bank's month at full size: breaks and stored rows by the million, to measure pages with."""

import datetime as dt
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.doors import business_day
from examples.load.play import Size, foreign_sources, play


class Command(BaseCommand):
    help = (
        "Fill an empty database with breaks and stored rows by the million, through the product's own services. The same seed gives "
        "the same rows; what an earlier call did is found again, so that it may be stopped and called again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much, and from which seed."""
        parser.add_argument("--breaks", type=int, default=1_000_000, help="breaks (1,000,000)")
        parser.add_argument("--stored", type=int, default=5_000_000, help="matched records that are stored (5,000,000)")
        parser.add_argument("--desks", type=int, choices=range(1, 6), default=5, help="reconciliations (5)")
        parser.add_argument("--days", type=int, default=20, help="weekdays, a run each for every desk (20)")
        parser.add_argument("--seed", type=int, default=20261126)
        parser.add_argument("--until", type=business_day, help="the last business date, today if not given")

    def handle(
        self, *, breaks: int, stored: int, desks: int, days: int, seed: int, until: dt.date | None, **_: object
    ) -> None:
        """Play the month, a line a day."""
        if found := foreign_sources():
            raise CommandError(
                f"This database has sources of its own ({', '.join(found[:5])}). generate_load fills an empty database only; "
                "give it one, for example by python -m config.stack run --state var/load."
            )
        began = time.monotonic()
        size = Size(breaks, stored, seed, until or timezone.now().date(), desks, days)
        with tempfile.TemporaryDirectory() as name:
            for line in play(size, Path(name)):
                self.stdout.write(f"{time.monotonic() - began:7.1f} s  {line}")
