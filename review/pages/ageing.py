"""The dashboard's table of kind by age."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from reconciliation.models import Break
from reconciliation.models.break_ import HIDDEN
from reconciliation.tally import Cell
from review.ages import AGES

LEVELS = 4  # shades of the table beside none


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
