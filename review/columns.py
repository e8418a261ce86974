"""The columns of the queue beside the key."""

from collections.abc import Iterable, Mapping

from ingestion.suggestion import nearest_end

COLUMNS: Mapping[str, str] = {
    "reason": "Reason and proof",
    "amount": "Difference, amount",
    "confidence": "Confidence",
    "age": "Age, due",
    "assigned": "Assigned",
    "reconciliation": "Reconciliation",
    "run": "Run",
    "opened": "Opened",
}
USUAL = ("reason", "amount", "confidence", "age")


class BadColumn(ValueError):
    """A column that there is not; the text says which there are."""


def ordered(chosen: Iterable[str]) -> list[str]:
    """Chosen columns in the order of the page; BadColumn for one that there is not."""
    names = list(chosen)
    if unknown := [it for it in names if it not in COLUMNS]:
        raise BadColumn(f"There is no column {unknown[0][:40]!r}{nearest_end(unknown[0], COLUMNS)}")
    return [it for it in COLUMNS if it in names]
