"""A journey begins at the raw line, wherever it stands."""

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path

from config.pipeline import run_to_end
from ingestion.changes import Change
from ingestion.models import Normalization
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from review.journey import find_journey, journey
from tests.conftest import DAY, DEFINITION, HEADER, row


def test_the_raw_line_of_a_packed_file_is_shown(
    trades: Reconciliation, deliver: Callable[..., Normalization], tmp_path: Path
) -> None:
    packed = tmp_path / "left.csv.gz"
    packed.write_bytes(gzip.compress("\n".join([HEADER, row("A"), row("B", "5.00")]).encode()))
    deliver("left", packed)
    deliver("right", "\n".join([HEADER, row("B", "-5.00"), row("A")]) + "\n")
    run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    events = journey(trades, "B").events
    received = {event.title: event.lines for event in events if event.glyph == "file"}
    assert received == {
        "A: line 3 received from Left": (row("B", "5.00"),),
        "B: line 2 received from Right": (row("B", "-5.00"),),
    }
    assert [event.title for event in events if event.glyph == "split"] == [
        "Row from A stands in a break in run " + str(trades.runs.get().pk),
        "Row from B stands in a break in run " + str(trades.runs.get().pk),
    ]


def test_a_key_is_found_in_the_reconciliation_that_knows_it(
    trades: Reconciliation,
    define: Callable[[str], list[Change]],
    deliver: Callable[..., Normalization],
    reconcile: Callable[..., Run],
) -> None:
    reconcile([row("A")], [row("A")])
    define(DEFINITION + "  backwards: {a: right, b: left}\n")
    backwards, next_day = Reconciliation.objects.get(code="backwards"), DAY + dt.timedelta(days=1)
    for source in ("left", "right"):
        deliver(source, "\n".join([HEADER, row("Z")]) + "\n", next_day)
    run_to_end(start_run(reconciliation=backwards, business_date=next_day, by="test"))
    for key, owner in (("A", trades), ("Z", backwards)):
        found, told = find_journey([trades, backwards], key)
        assert found == owner and "Stored as version 1" in {event.title for event in told.events}
    assert find_journey([trades, backwards], "nobody's")[0] is None
