"""Ingest a file as a delivery."""

import datetime as dt
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.command import QuickCommand
from config.doors import business_day, known_source, to_delivery, write_json
from ingestion.control_totals import Declared
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import Normalization


class Command(QuickCommand):
    help = "Ingest a file as a delivery of a source. The same bytes twice are the same delivery."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """SOURCE FILE."""
        parser.add_argument("source")
        parser.add_argument("file", type=Path)
        parser.add_argument("--date", type=business_day, help="business date, today if not given")
        parser.add_argument("--records", type=int, help="how many records it has, as its manifest says")
        parser.add_argument(
            "--sum",
            action="append",
            default=[],
            metavar="FIELD=SUM",
            help="a sum of its manifest, such as amount=1234.50",
        )
        parser.add_argument("--accept", action="store_true", help="take the detected format as it is proposed")
        parser.add_argument("--json", metavar="OUT", help="write what was found as JSON to a file, or - for here")

    def handle(
        self, *, source: str, file: Path, date: dt.date | None, accept: bool, json: str | None, **manifest: Any
    ) -> None:
        """Say what was found, a line each."""
        try:
            declared = Declared.given(manifest["records"], manifest["sum"])
            accepted = to_delivery(known_source(source), file, date, declared=declared)
            work = normalize_delivery(plan_normalization(accepted.delivery), accept=accept)
        except IngestionError as error:
            raise CommandError(str(error)) from None
        document = _document(work, is_new=accepted.is_new)
        write_json(document, json, sys.stdout)
        if json != "-":
            self._say(work, is_new=accepted.is_new)
        if work.state != Normalization.State.DONE:
            raise CommandError(work.error or "Another process is normalizing this delivery.")

    def _say(self, work: Normalization, *, is_new: bool) -> None:
        delivery = work.delivery
        self.stdout.write(f"{delivery}, {delivery.file_name}, {delivery.size:,} bytes, sha256 {delivery.sha256[:12]}")
        if not is_new:
            self.stdout.write("The same bytes were delivered before; this is the delivery already held.")
        self.stdout.write(_shown(work.format))
        for note in work.notes:
            self.stdout.write(note)
        if work.mismatches:
            self.stderr.write(f"{len(work.mismatches)} control totals do not agree.")
        self.stdout.write(
            f"{work.received} rows received: {work.normalized} normalized, {work.quarantined} quarantined, "
            f"{work.flagged_values} values flagged."
        )
        for row in work.quarantined_rows.all()[:20]:
            self.stdout.write(f"  {row}")


def _shown(format_: dict) -> str:
    """How the file was read."""
    marks = ("encoding", "delimiter", "quote")
    told = [f"{name} {format_[name]!r}" if name != "encoding" else format_[name] for name in marks if format_.get(name)]
    where = f"header on line {format_['header']}" if format_.get("header") else "no header"
    columns = format_.get("columns") or []
    return f"Read as {', '.join([format_.get('type', 'csv'), *told, where])}, {len(columns)} columns: {', '.join(columns[:12])}."


def _document(work: Normalization, *, is_new: bool) -> dict[str, object]:
    fields = (
        "received",
        "normalized",
        "quarantined",
        "flagged_values",
        "notes",
        "mismatches",
        "format",
        "state",
        "error",
    )
    rows = work.quarantined_rows.all()[:1000]
    return {
        "delivery": work.delivery_id,
        "new": is_new,
        "date": work.delivery.business_date.isoformat(),
        **{name: getattr(work, name) for name in fields},
        "quarantined_rows": [{"line": row.line, "reason": row.reason, "raw": row.raw} for row in rows],
    }
