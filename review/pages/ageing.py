"""How long breaks wait: the ages that queue and dashboard know, and the dashboard's table of kind by age."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone

from reconciliation.models import Break
from reconciliation.models.break_ import HIDDEN
from reconciliation.tally import Cell

LEVELS = 4  # shades of the table beside none


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


def heat_map(cells: Iterable[Cell], reconciliation: str) -> dict[str, Any]:
    """A reconciliation's breaks in review by kind and age, each count with the queue's query that lists it; of its tally's
    `cells`."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for cell in cells:
        if cell.state == Break.State.REVIEW and cell.band not in HIDDEN and cell.opened is not None:
            counts[cell.kind][next(code for code, age in AGES.items() if age.has(cell.opened))] += cell.breaks
    most = max((n for by_age in counts.values() for n in by_age.values()), default=0)
    lines = [_line(kind, title, counts[kind], most, reconciliation) for kind, title in Break.Kind.choices]
    totals = [sum(counts[kind][code] for kind in Break.Kind.values) for code in AGES]
    return {"ages": list(AGES.values()), "lines": lines, "totals": totals, "total": sum(totals)}


def _line(kind: str, title: str, counts: dict[str, int], most: int, code: str) -> dict[str, Any]:
    cells = [
        {"count": n, "level": _level(n, most), "query": urlencode({"reconciliation": code, "kind": kind, "age": age})}
        for age, n in ((age, counts.get(age, 0)) for age in AGES)
    ]
    return {"title": title, "cells": cells, "total": sum(counts.values())}


def _level(count: int, most: int) -> int:
    """0 for none, then by the share of the largest."""
    return -(-count * LEVELS // most) if count else 0
