"""The rejects file of a source and date."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from config.doors import business_day, known_source
from review.exports import BadExport
from review.rejects import write_rejects


class Command(BaseCommand):
    requires_system_checks = []
    help = "Write the records of a source and date that were rejected or could not be read, with reason and comment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """SOURCE --date D --to FILE."""
        parser.add_argument("source")
        parser.add_argument("--date", type=business_day, required=True, help="business date")
        parser.add_argument("--to", required=True, type=Path, help="csv, xlsx, parquet, json or xml by suffix")

    def handle(self, *, source: str, date: dt.date, to: Path, **_: object) -> None:
        """One line with how much was written."""
        try:
            count = write_rejects(known_source(source), date, to)
        except (BadExport, OSError) as error:
            raise CommandError(str(error)) from None
        rejects = "1 reject" if count == 1 else f"{count:,} rejects"
        self.stdout.write(f"{rejects} of {source}, {date}, written to {to}.")
