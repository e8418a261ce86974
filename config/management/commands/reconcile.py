"""Deliver what is given, run in this process, report."""

import datetime as dt
import sys
import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

import duckdb
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.utils import timezone

from config.command import QuickCommand
from config.doors import business_day, known_reconciliation, to_delivery, write_json
from config.pipeline import run_to_end
from config.report_table import report_table
from config.side_by_side import side_by_side
from ingestion.deliveries import Accepted, normalize_delivery, plan_normalization
from ingestion.errors import IngestionError
from ingestion.lake import AlteredFile
from ingestion.models import Delivery, Normalization, Source
from reconciliation.models import Run
from reconciliation.runs import start_run


class Command(QuickCommand):
    help = "Deliver the files that are given, run the reconciliation in this process, and report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME with its files and date."""
        parser.add_argument("name")
        parser.add_argument("--a", type=Path, help="a file of source A")
        parser.add_argument("--b", type=Path, help="a file of source B")
        parser.add_argument("--date", type=business_day, help="business date, today if not given")
        parser.add_argument("--accept", action="store_true", help="take the detected formats as they are proposed")
        parser.add_argument("--json", metavar="OUT", help="write the report as JSON to a file, or - for here")

    def handle(self, *, name: str, date: dt.date | None, json: str | None, accept: bool, **options: object) -> None:
        """Deliver, run, report; exit 0 only when the run is done."""
        began = time.monotonic()
        reconciliation = known_reconciliation(name)
        given = ((reconciliation.a, options["a"]), (reconciliation.b, options["b"]))
        normalized = side_by_side(
            [partial(_ingest, source, file, date, accept=accept) for source, file in given if isinstance(file, Path)]
        )
        accepted = [it for it, _ in normalized]
        for it, work in normalized:
            for note in work.notes:
                self.stderr.write(f"{it.delivery.file_name}: {note}")
            if not it.is_new:
                name = it.delivery.file_name
                self.stderr.write(f"{name}: the same bytes were delivered before; {it.delivery} is run again.")
        date = _one_date([it.delivery for it in accepted], date)
        ingested = time.monotonic() - began
        run = start_run(reconciliation=reconciliation, business_date=date, by="command")
        try:
            run_to_end(run)
        except (duckdb.Error, DatabaseError, AlteredFile, OSError) as error:
            raise CommandError(
                f"{run} could not go on; nothing was half-done, and the next call tries again. {error}"
            ) from error
        if run.state != Run.State.DONE or run.report is None:
            raise CommandError(f"{run} failed. {run.error}".strip())
        report = timed(run.report, ingested, time.monotonic() - began)
        write_json(report, json, sys.stdout)
        if json != "-":
            self.stdout.write(report_table(report))


def _ingest(source: Source, file: Path, date: dt.date | None, *, accept: bool) -> tuple[Accepted, Normalization]:
    try:
        accepted = to_delivery(source, file, date)
        return accepted, normalize_delivery(plan_normalization(accepted.delivery), accept=accept)
    except IngestionError as error:
        raise CommandError(str(error) if file.name in str(error) else f"{file.name}: {error}") from None


def _one_date(deliveries: list[Delivery], given: dt.date | None) -> dt.date:
    """The run's business date: the files' own, or the given one, or today."""
    dates = {delivery.business_date for delivery in deliveries} or {given or timezone.now().date()}
    if len(dates) > 1:
        found = " and ".join(f"{it.file_name} of {it.business_date}" for it in deliveries)
        raise CommandError(
            f"The files are of two business dates: {found}. Both were delivered; name the date with --date."
        )
    return dates.pop()


def timed(report: dict, ingested: float, whole: float) -> dict:
    """The report with seconds that add up to the wall time of this command; what was waited for counts as store."""
    seconds = dict(report["seconds"], ingest=round(ingested, 3))
    seconds["store"] = round(max(whole - sum(value for name, value in seconds.items() if name != "store"), 0.0), 3)
    return {**report, "seconds": seconds}
