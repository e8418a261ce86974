"""How far apart two values are, in words and as a bar, and where two texts differ."""

from decimal import Decimal

import pytest

from reconciliation.engine.business_days import Calendar
from reconciliation.engine.rules import CompareRule
from review.breaks.distance import distance_between, where_they_differ

WEEKDAYS = Calendar()


def told(kind: str, a: str | None, b: str | None, **rule: object) -> str | None:
    """The sentence of a distance."""
    found = distance_between(kind, a, b, CompareRule.from_document(rule), WEEKDAYS)
    return found and found.text


@pytest.mark.parametrize(
    ("a", "b", "rule", "sentence"),
    [
        ("10.00", "10.25", {}, "0.25 apart, none allowed"),
        ("10.00", "10.25", {"absolute": "0.25"}, "0.25 of 0.25 allowed: within"),
        ("10.00", "10.26", {"absolute": "0.25"}, "0.26 apart, 0.25 allowed: just over the limit"),
        ("1254000.00", "1245000.00", {"absolute": "0.005"}, "9,000 apart, 0.005 allowed: 1,800,000 times the limit"),
        ("103", "100", {"relative": "0.02"}, "3 apart, 2 allowed: 1.5 times the limit"),
        ("-100", "-98", {"basis_points": "100", "absolute": "1"}, "2 apart, 1.98 allowed: just over the limit"),
        ("0", "0.00", {"absolute": "1"}, "0 of 1 allowed: within"),
        ("NaN", "1", {"absolute": "1"}, None),
        ("ten", "1", {}, None),
        (None, "1", {}, None),
        ("1" * 38, "1" * 37 + "2", {"absolute": "0.5"}, "1 apart, 0.5 allowed: 2.0 times the limit"),
    ],
)
def test_numbers(a: str | None, b: str | None, rule: dict[str, object], sentence: str | None) -> None:
    assert told("decimal", a, b, **rule) == sentence


@pytest.mark.parametrize(
    ("kind", "a", "b", "rule", "sentence"),
    [
        ("date", "2026-11-20", "2026-11-23", {}, "3 days apart, none allowed"),
        ("date", "2026-11-23", "2026-11-20", {"days": 1}, "3 days apart, 1 allowed: 3.0 times the limit"),
        ("date", "2026-11-20", "2026-11-23", {"business_days": 1}, "1 of 1 business day allowed: within"),
        ("date", "2026-11-20", "2026-11-24", {"business_days": 1}, "2 business days apart, 1 allowed: 2.0 times the limit"),
        ("datetime", "2026-11-20T10:00:00", "2026-11-20T10:00:30", {}, "0:00:30 apart within one day"),
        ("datetime", "2026-11-20T10:00:00Z", "2026-11-20T10:00:30", {}, None),
        ("date", "someday", "2026-11-20", {}, None),
    ],
)  # fmt: skip
def test_days(kind: str, a: str, b: str, rule: dict[str, object], sentence: str | None) -> None:
    assert told(kind, a, b, **rule) == sentence


def test_texts_say_how_they_were_compared() -> None:
    assert told("text", "A", "B") is None
    assert told("text", "A", "B", ignore=["case", "spaces"]) == "Compared without case, spaces."
    assert told("decimal", "1", "2", skip=True) == "This field is not compared."


def test_the_bar_ends_at_twice_the_limit() -> None:
    widths = {}
    for b in ("1.5", "2", "9"):
        found = distance_between("decimal", "1", b, CompareRule(absolute=Decimal(1)), WEEKDAYS)
        assert found is not None
        widths[b] = (found.bar, found.is_within)
    assert widths == {"1.5": ("22.0", True), "2": ("44.0", True), "9": ("88.0", False)}


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("1,254,000", "1,245,000", 'character 4: nothing against "4"; character 5: "4" against nothing'),
        ("Fairmont Hot Springs", "Fairmont Hot Springs Airport", 'character 21: nothing against " Airport"'),
        ("MERIDIAN", "MERIDIAN", ""),
        ("", "x", ""),
        (None, "x", ""),
        ("abc", "xyz", "nothing much in common"),
        ("a" * 401, "a" * 400, ""),
        ("a1a2a3a4a5a6", "a1b2b3b4b5a6", None),
    ],
)
def test_where_texts_differ(a: str | None, b: str | None, words: str | None) -> None:
    said = where_they_differ(a, b)
    assert said == words if words is not None else said.endswith("; 1 more"), said


def test_a_long_place_is_quoted_by_its_beginning() -> None:
    assert where_they_differ("x" * 40, "x" * 40 + "y" * 30) == f'character 41: nothing against "{"y" * 24}..."'
