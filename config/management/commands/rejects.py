"""The rejects file of a source and date."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from config.command import QuickCommand
from config.doors import business_day, known_source
from ingestion.errors import IngestionError
from review.exports import BadExport
from review.rejects import push_rejects, write_rejects


class Command(QuickCommand):
    help = "Write the records of a source and date that were rejected or could not be read, with reason and comment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """SOURCE --date D, with --to FILE or --push."""
        parser.add_argument("source")
        parser.add_argument("--date", type=business_day, required=True, help="business date")
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("--to", type=Path, help="csv, xlsx, parquet, json or xml by suffix")
        place.add_argument("--push", action="store_true", help="into the folder that the source's connection names")

    def handle(self, *, source: str, date: dt.date, to: Path | None, **_: object) -> None:
        """One line with how much was written."""
        place: Path | str | None = to
        try:
            if to is None:
                count, place = push_rejects(known_source(source), date)
            else:
                count = write_rejects(known_source(source), date, to)
        except (BadExport, IngestionError, OSError) as error:
            raise CommandError(str(error)) from None
        rejects = "1 reject" if count == 1 else f"{count:,} rejects"
        self.stdout.write(f"{rejects} of {source}, {date}, written to {place}.")
