"""How long breaks have been open, as people ask for it: the ages that queue and dashboard know."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from reconciliation.models import Break
from reconciliation.models.break_ import HIDDEN
from reconciliation.tally import Cell


@dataclass(frozen=True)
class Age:
    """A span of whole days since a break opened; `until` is None for the last."""

    code: str
    short: str
    since: int
    until: int | None

    def holds(self) -> Q:
        """The breaks that are so old now."""
        older = Q(opened_at__lt=before(self.since)) if self.since else Q()
        return older if self.until is None else older & Q(opened_at__gte=before(self.until))

    def has(self, opened: dt.datetime) -> bool:
        """Whether what opened in an hour is so old now."""
        return (not self.since or opened < before(self.since)) and (self.until is None or opened >= before(self.until))


def by_kind_and_age(cells: Iterable[Cell]) -> Counter[tuple[str, str]]:
    """How many breaks there are of each kind and age, of those cells of a tally that people are shown."""
    counts: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        if cell.state == Break.State.REVIEW and cell.band not in HIDDEN and cell.opened is not None:
            counts[cell.kind, next(code for code, age in AGES.items() if age.has(cell.opened))] += cell.breaks
    return counts


def before(days: int) -> dt.datetime:
    """The hour that began so many days ago: ages count from it, so that those of whole hours can be added up."""
    return timezone.now().replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=days)


AGES = {
    age.code: age
    for age in (
        Age("1d", "< 1 d", 0, 1),
        Age("3d", "1-3 d", 1, 3),
        Age("7d", "3-7 d", 3, 7),
        Age("old", "> 7 d", 7, None),
    )
}
