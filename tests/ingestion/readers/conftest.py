"""One small reconciliation whose left side comes in any format; the right side is CSV, as everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.definitions.apply import apply_definition
from config.pipeline import run_to_end
from ingestion import lake
from ingestion.arrival import take_in
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.file_format import FileFormat
from ingestion.files import locate, records
from ingestion.framing import FileRow, Located
from ingestion.models import Normalization, Source
from ingestion.unpacking import unpacked
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from review.journey import journey
from tests.conftest import DAY, problems

FIELDS = """
record_types:
  payment:
    fields:
      id: {type: text, key: true}
      day: {type: date}
      amount: {type: decimal, digits: 18, places: 2}
      note: {type: text}
sources:
  left:
    record_type: payment
    format: FORMAT
    mapping:
      id: {column: id}
      day: {column: day}
      amount: {column: AMOUNT}
      note: {column: note}
  right:
    record_type: payment
    mapping: {id: {column: id}, day: {column: day}, amount: {column: amount}, note: {column: note}}
reconciliations: {payments: {a: left, b: right}}
"""
RIGHT = "id,day,amount,note\nT1,2026-11-20,10.00,one\nT2,2026-11-21,-20.50,two\nT3,2026-11-22,0.10,Zoë\n"


@dataclass
class Payments:
    """Deliver to either side, run, and look."""

    deliver_: Callable[..., Normalization]
    folder: Path

    def define(self, format_: str = "{}", amount: str = "amount") -> None:
        """Set the left side's format."""
        text = FIELDS.replace("FORMAT", format_).replace("AMOUNT", amount)
        apply_definition(text, self.folder)

    def deliver(self, content: str | bytes | Path, *, accept: bool = False) -> Normalization:
        """Hand a file to the left side."""
        file = content if isinstance(content, Path) else self.folder / "left.file"
        if not isinstance(content, Path):
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        source = Source.objects.get(code="left")
        accepted = take_in(source=source, file=file, name=file.name, given=DAY, by="test")
        return normalize_delivery(plan_normalization(accepted.delivery), accept=accept)

    def run(self, right: str | Path = RIGHT) -> dict[str, Any]:
        """Deliver the right side and reconcile; gives the report. What verify finds is a fault of any test."""
        self.deliver_("right", right)
        run: Run = run_to_end(start_run(reconciliation=self.reconciliation, business_date=DAY, by="test"))
        assert problems() == []
        assert run.report is not None
        return run.report

    @property
    def reconciliation(self) -> Reconciliation:
        """Left against right."""
        return Reconciliation.objects.get(code="payments")

    def located(self, n: int) -> Located:
        """Record `n` of the newest left delivery as it stands in the file."""
        return locate(*self._newest(), n)

    def rows(self) -> list[FileRow]:
        """All records of the newest left delivery."""
        return list(records(*self._newest()))

    def _newest(self) -> tuple[Path, FileFormat]:
        work = Normalization.objects.filter(delivery__source__code="left", state="done").latest("id")
        return unpacked(lake.local(work.delivery.path), self.folder), FileFormat.from_document(work.format)

    def received(self, key: str) -> tuple[str, str]:
        """What the journey of a key says of the left row: its title and raw text."""
        events = journey(self.reconciliation, key).events
        (event,) = [event for event in events if event.glyph == "file" and event.title.startswith("A:")]
        return event.title, event.lines[0]


@pytest.fixture
def payments(deliver: Callable[..., Normalization], tmp_path: Path) -> Payments:
    """Left and right, to be defined by the test."""
    return Payments(deliver, tmp_path)


def quarantined(work: Normalization) -> list[tuple[int, int, str]]:
    """Record number, place and reason of each row kept aside."""
    return [(row.record_number, row.line, row.reason) for row in work.quarantined_rows.all()]
