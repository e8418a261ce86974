"""The oracle: a slow, obvious comparer over lists of dictionaries, to which the engine's SQL is held."""

import unicodedata
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

from reconciliation.engine.business_days import Calendar
from reconciliation.engine.rules import CompareRule

Row = dict[str, Any]
WHITE = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029"


def compare_rows(left: list[Row], right: list[Row], rules: dict[str, CompareRule]) -> dict[str, Any]:
    """Classes by key, differing (key, field) cells, and the keys that stand twice on a side."""
    twice = {key for side in (left, right) for key, n in Counter(r["key"] for r in side).items() if n > 1}
    a = {r["key"]: r for r in left if r["key"] not in twice}
    b = {r["key"]: r for r in right if r["key"] not in twice}
    classes, cells = {}, set()
    for key in a.keys() | b.keys():
        if key not in a or key not in b:
            classes[key] = "missing_in_a" if key not in a else "missing_in_b"
            continue
        wrong = {(key, name) for name, rule in rules.items() if differ(name, a[key], b[key], rule)}
        classes[key] = "differing" if wrong else "matched"
        cells |= wrong
    return {"classes": classes, "cells": cells, "twice": twice}


def differ(name: str, a: Row, b: Row, rule: CompareRule) -> bool:
    """Whether one field differs; a flagged value always does."""
    if name in a["flags"] or name in b["flags"]:
        return True
    return not rule.skip and not equal(a[name], b[name], rule)


def equal(x: Any, y: Any, rule: CompareRule) -> bool:  # noqa: ANN401 - any value of any kind
    """The contract's words on `compare`, one after the other."""
    if x is None or y is None:
        other = y if x is None else x
        return x is y or (other is not None and canonical(other) in rule.null_equals)
    if isinstance(x, Decimal):
        return abs(x - y) <= rule.absolute + rule.share * abs(y)
    if isinstance(x, date):
        days = abs((x - y).days)
        working = abs(Calendar().business_days_between(x, y))
        return (
            x == y
            or bool(rule.days and days <= rule.days)
            or bool(rule.business_days and working <= rule.business_days)
        )
    return fold(x, rule.ignore) == fold(y, rule.ignore)


def canonical(value: Any) -> str:  # noqa: ANN401 - any value of any kind
    """The canonical text."""
    return value.isoformat() if isinstance(value, date) else str(value)


def fold(text: str, ignore: tuple[str, ...]) -> str:
    """A text without what is ignored."""
    if "accents" in ignore:
        marks = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize("NFC", "".join(c for c in marks if unicodedata.category(c) != "Mn"))
    if "case" in ignore:
        text = text.casefold()
    if "punctuation" in ignore:
        text = "".join(c for c in text if not unicodedata.category(c).startswith("P"))
    if "spaces" in ignore:
        return "".join(c for c in text if c not in WHITE)
    return text.strip(WHITE) if "ends" in ignore else text
