"""What accepting an uploaded file would change, beside what its source handed over before: new, changed, same, not read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion.models import Delivery, Source
from ingestion.preview import Preview
from ingestion.uploads import Upload
from reconciliation.redelivery import ADDED, CHANGED, REMOVED, SAME, ChangedRecord, before_of, compare_file

SHOWN = 20  # records
MOST = 1_000_000  # records of the earlier delivery; a page does not wait for more


@dataclass(frozen=True)
class DryRun:
    """Counts of records by what would happen to them, and the first that are new or changed. `former`: beside what."""

    former: Delivery | None
    counts: Mapping[str, int]
    errors: int
    records: Sequence[ChangedRecord]
    supersedes: bool
    is_whole: bool

    @property
    def rows(self) -> list[tuple[str, int, str]]:
        """Each count with its title and what follows from it."""
        left = "gone: the source delivers complete pictures" if self.is_picture else "stay as they were"
        new = "keys that the earlier delivery does not have" if self.former else "nothing was delivered before"
        found = [
            ("New", self.counts[ADDED], new),
            ("Changed", self.counts[CHANGED], "the same keys with other values"),
            ("Same", self.counts[SAME], "nothing differs"),
            ("Error", self.errors, "rows that would be quarantined"),
        ]
        return found if not self.is_whole or self.former is None else [*found, ("Left out", self.counts[REMOVED], left)]

    @property
    def is_picture(self) -> bool:
        """Whether what the file leaves out is gone."""
        return self.former is not None and self.former.source.delivers == "snapshot"


def dry_run(upload: Upload, source: Source, found: Preview, records: Path | None) -> DryRun | None:
    """What accepting would change; None where nothing can be read, or the earlier delivery is too large or gone."""
    if records is None or found.counts is None:
        return None
    errors, former = found.counts.quarantined, before_of(source, upload.date)
    if former is None:
        counts = {ADDED: found.counts.normalized, CHANGED: 0, SAME: 0, REMOVED: 0}
        return DryRun(None, counts, errors, (), supersedes=False, is_whole=found.is_whole)
    told = compare_file(former, records, most=SHOWN) if _rows(former) <= MOST else None
    if told is None:
        return None
    return DryRun(former, told[0], errors, told[1], former.business_date == upload.date, found.is_whole)


def _rows(delivery: Delivery) -> int:
    return max((it.normalized or 0 for it in delivery.normalizations.all()), default=0)
