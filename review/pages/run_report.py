"""A run's report as tables, in the order in which people read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attribution.models import Reason
from reconciliation.models import Run
from reconciliation.waiting import WAITING
from review.pages.remaining import Former
from review.pages.statement import statement_table

SIDES = {
    "received": "Received",
    "normalized": "Normalized",
    "quarantined": "Quarantined",
    "flagged_values": "Flagged values",
    "duplicates": "Duplicates",
    "out_of_scope": "Out of scope",
    "superseded": "Superseded",
}
AGES = (
    ("Today", 0, 0),
    ("1 day", 1, 1),
    ("2 days", 2, 2),
    ("3-5 days", 3, 5),
    ("6-10 days", 6, 10),
    ("Over 10", 11, 10**9),
)
RECORDS = {
    "matched": "Matched",
    "differing": "Differing",
    "missing_in_a": "Missing in A",
    "missing_in_b": "Missing in B",
    "duplicate": "Duplicate",
    "confirmed": "Confirmed",
}


def report_tables(run: Run) -> dict[str, Any]:
    """Rows by side, keys, and the differences by field and by reason; nothing before the run has ended."""
    report = run.report
    if report is None:
        return {}
    a, b, records = report["sides"]["a"], report["sides"]["b"], report["records"]
    functional = dict(Reason.objects.values_list("code", "functional"))
    by_reason = most_first(report["differences"]["by_reason"])
    return {
        "sides": [(title, a.get(name, 0), b.get(name, 0)) for name, title in SIDES.items()],
        "records": [(title, records[name]) for name, title in RECORDS.items() if name in records],
        "by_field": most_first(report["differences"]["by_field"]),
        "statement": statement_table(run, functional),
        "ages": _ages(report.get("open", {})),
        "by_reason": [(code, functional.get(code), cells) for code, cells in by_reason],
    }


@dataclass(frozen=True)
class Compared:
    """A count of two runs."""

    title: str
    before: int
    now: int

    @property
    def change(self) -> int:
        """What came to it."""
        return self.now - self.before


def against(run: Run, former: Former | None) -> list[Compared]:
    """The counts of a run beside those of the one before it; nothing unless both have ended."""
    if run.report is None or former is None:
        return []
    before, now = _main_counts(former.report), _main_counts(run.report)
    return [Compared(title, before.get(title, 0), rows) for title, rows in now.items()]


def _main_counts(report: Mapping[str, Any]) -> dict[str, int]:
    records, outcome, by_reason = report["records"], report["outcome"], report["differences"]["by_reason"]
    return {
        "Received": sum(side["received"] for side in report["sides"].values()),
        "Quarantined": sum(side["quarantined"] for side in report["sides"].values()),
        **{title: records[name] for name, title in RECORDS.items() if name in records},
        "Stored": outcome["stored"],
        "To review": outcome["in_review"],
        "UNKNOWN cells": by_reason.get("UNKNOWN", 0),
    }


def _ages(found: dict[str, dict[str, int]]) -> list[tuple[str, int, int]]:
    """Open breaks by spans of business days: in review, and waiting for a partner; none of a report without them."""
    counts = [{int(age): count for age, count in found.get(name, {}).items()} for name in ("review", WAITING)]
    rows = [
        (title, *(sum(count for age, count in ages.items() if low <= age <= high) for ages in counts))
        for title, low, high in AGES
    ]
    return [row for row in rows if any(row[1:])]  # type: ignore[misc]


def most_first(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Names and counts, the largest first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
