"""The report on a terminal reads like the run page, whatever order the database gave its JSON."""

from typing import Any

from config.report_table import report_table

SIDE = {"received": 3, "duplicates": 1, "normalized": 2, "superseded": 0, "quarantined": 1, "out_of_scope": 0}
REPORT: dict[str, Any] = {
    "run": 1, "date": "2026-11-20", "status": "done", "reconciliation": "trades",
    "sides": {side: {**SIDE, "flagged_values": 0} for side in ("a", "b")},
    "carried": {side: {"closed": 0, "offered": 2} for side in ("a", "b")},
    "records": {"duplicate": 0, "matched": 1, "differing": 1, "missing_in_a": 0, "missing_in_b": 0},
    "differences": {"total": 1_004, "by_field": {"rate": 4, "trade_date": 1_000}, "by_reason": {"UNKNOWN": 1_004}},
    "outcome": {"rejected": 0, "in_review": 1, "stored": 1},
    "seconds": {"diff": 0.5, "store": 0.25, "ingest": 1.0, "attribute": 0.125},
}  # fmt: skip


def test_the_table_is_in_the_order_of_the_run_page() -> None:
    names = [
        " ".join(word for word in line.split() if not word[0].isdigit()) for line in report_table(REPORT).split("\n")
    ]
    at = [names.index(name) for name in ("Received", "Normalized", "Quarantined", "Duplicates", "Carried closed")]
    assert at == sorted(at) and names.index("Matched") < names.index("Duplicate") < names.index("Stored")
    assert names.index("trade_date") < names.index("rate")
    assert "  trade_date                   1,000" in report_table(REPORT).splitlines()
    assert report_table(REPORT).splitlines()[-1] == "Seconds: ingest 1.00  diff 0.50  attribute 0.12  store 0.25"
