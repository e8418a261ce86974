"""The dashboard's table of kind by age."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from reconciliation.models import Break
from reconciliation.tally import Cell
from review.ages import AGES, by_kind_and_age

LEVELS = 4  # shades of the table beside none


def heat_map(cells: Iterable[Cell], reconciliation: str) -> dict[str, Any]:
    """A reconciliation's breaks in review by kind and age, each count with the queue's query that lists it; of its tally's
    `cells`."""
    counts = by_kind_and_age(cells)
    most = max(counts.values(), default=0)
    lines = [
        _line(title, {age: counts[kind, age] for age in AGES}, most, {"reconciliation": reconciliation, "kind": kind})
        for kind, title in Break.Kind.choices
    ]
    totals = [sum(counts[kind, age] for kind in Break.Kind.values) for age in AGES]
    return {"ages": list(AGES.values()), "lines": lines, "totals": totals, "total": sum(totals)}


def _line(title: str, counts: dict[str, int], most: int, query: dict[str, str]) -> dict[str, Any]:
    cells = [
        {"count": count, "level": _level(count, most), "query": urlencode({**query, "age": age})}
        for age, count in counts.items()
    ]
    return {"title": title, "cells": cells, "total": sum(counts.values())}


def _level(count: int, most: int) -> int:
    """0 for none, then by the share of the largest."""
    return -(-count * LEVELS // most) if count else 0
