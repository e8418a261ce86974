"""The report of a run as a table for a terminal."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from review.pages.run_report import RECORDS, SIDES, most_first

OUTCOME = {"stored": "Stored", "in_review": "In review", "rejected": "Rejected"}
STAGES = ("ingest", "diff", "attribute", "store")


def report_table(report: Mapping[str, Any]) -> str:
    """Lines of at most 100 characters, in the order of the run page, whatever the report's own order is."""
    a, b, carried = report["sides"]["a"], report["sides"]["b"], report["carried"]
    lines = [f"Run {report['run']}, {report['reconciliation']}, {report['date']}: {report['status']}", ""]
    lines.append(f"{'':16}{'A':>12}{'B':>12}")
    lines += [_two(title, a[name], b[name]) for name, title in SIDES.items()]
    lines += [_two(f"Carried {name}", carried["a"][name], carried["b"][name]) for name in ("offered", "closed")]
    lines += ["", *_pairs("Records", _titled(RECORDS, report["records"]))]
    lines += ["", *_pairs("Outcome", _titled(OUTCOME, report["outcome"]))]
    differences = report["differences"]
    lines += ["", f"Differences     {differences['total']:>12,}"]
    lines += _pairs("  by field", most_first(differences["by_field"]))
    lines += _pairs("  by reason", most_first(differences["by_reason"]))
    lines += _statement(report.get("statement"))
    spent = "  ".join(f"{name} {report['seconds'][name]:.2f}" for name in STAGES)
    return "\n".join([*lines, "", f"Seconds: {spent}", ""])


def _statement(told: Mapping[str, Any] | None) -> list[str]:
    """A line a currency: both sums, their difference, and what nothing explains."""
    if told is None:
        return []
    lines = ["", f"{'Sum of ' + told['field']:16.16}{'A':>22}{'B':>22}{'A less B':>22}{'Unexplained':>16}"]
    for it in told["currencies"]:
        amounts = (Decimal(it[name]) for name in ("a", "b", "difference", "unexplained"))
        sums = "".join(f"{amount:>{width},f}" for amount, width in zip(amounts, (22, 22, 22, 16), strict=True))
        lines.append(f"  {it['currency']:14.14}{sums}")
    return lines


def _two(title: str, a: int, b: int) -> str:
    return f"{title:16}{a:>12,}{b:>12,}"


def _titled(titles: Mapping[str, str], counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return [(title, counts[name]) for name, title in titles.items() if name in counts]


def report_line(report: Mapping[str, Any]) -> str:
    """The run, what it received, its records by class and what became of them, in one line."""
    received = " + ".join(f"{side['received']:,}" for side in report["sides"].values())
    records, outcome = _some(RECORDS, report["records"]), _some(OUTCOME, report["outcome"])
    return f"Run {report['run']}, {report['reconciliation']}: {received} rows; {records}; {outcome}"


def _some(titles: Mapping[str, str], counts: Mapping[str, int]) -> str:
    told = (f"{count:,} {title[0].lower()}{title[1:]}" for title, count in _titled(titles, counts) if count)
    return ", ".join(told)


def _pairs(title: str, counts: Iterable[tuple[str, int]]) -> list[str]:
    return [title, *(f"  {name:24}{count:>10,}" for name, count in counts)]
