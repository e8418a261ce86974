"""How long breaks wait: the ages that queue and dashboard know, and the dashboard's table of kind by age."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from reconciliation.models import Break
from reconciliation.waiting import WAITING

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
        now = timezone.now()
        older = Q(opened_at__lte=now - dt.timedelta(days=self.since)) if self.since else Q()
        return older if self.until is None else older & Q(opened_at__gt=now - dt.timedelta(days=self.until))


AGES = {
    age.code: age
    for age in (
        Age("1d", "< 1 d", 0, 1),
        Age("3d", "1-3 d", 1, 3),
        Age("7d", "3-7 d", 3, 7),
        Age("old", "> 7 d", 7, None),
    )
}


def heat_map(breaks: QuerySet[Break]) -> dict[str, Any]:
    """The breaks in review by kind and age, each count with the queue's query that lists it."""
    counted = {f"age_{code}": Count("pk", filter=age.holds()) for code, age in AGES.items()}
    found = breaks.filter(state=Break.State.REVIEW).exclude(band=WAITING).order_by().values("kind").annotate(**counted)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in found:
        counts[row["kind"]] = {code: row[f"age_{code}"] for code in AGES}  # type: ignore[literal-required]
    most = max((n for by_age in counts.values() for n in by_age.values()), default=0)
    lines = [_line(kind, title, counts[kind], most) for kind, title in Break.Kind.choices]
    totals = [sum(counts[kind].get(code, 0) for kind in Break.Kind.values) for code in AGES]
    return {"ages": list(AGES.values()), "lines": lines, "totals": totals, "total": sum(totals)}


def _line(kind: str, title: str, counts: dict[str, int], most: int) -> dict[str, Any]:
    cells = [
        {"count": n, "level": _level(n, most), "query": urlencode({"kind": kind, "age": code})}
        for code, n in ((code, counts.get(code, 0)) for code in AGES)
    ]
    return {"title": title, "cells": cells, "total": sum(counts.values())}


def _level(count: int, most: int) -> int:
    """0 for none, then by the share of the largest."""
    return -(-count * LEVELS // most) if count else 0
