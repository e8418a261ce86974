"""Proofs about two dates."""

import datetime as dt
from collections.abc import Callable

from attribution.provers.evidence import Context, Difference
from attribution.provers.numbers import one_typed, swapped


def day_of(text: str | None) -> dt.date | None:
    """The day of a canonical date or moment; None for any other text."""
    try:
        return dt.date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def day_month(d: Difference) -> str:
    """Day and month swapped."""
    a, b = day_of(d.value_a), day_of(d.value_b)
    if a and b and a != b and a.year == b.year and a.month == b.day and a.day == b.month:
        return f"Day and month swapped: {a:%-d %b} became {b:%-d %b}."
    return ""


def business_days(d: Difference, context: Context) -> str:
    """One to three business days apart."""
    a, b = day_of(d.value_a), day_of(d.value_b)
    if a is None or b is None or not 0 < abs((b - a).days) <= 14:
        return ""
    days = context.calendar.business_days_between(a, b)
    if not 1 <= abs(days) <= 3:
        return ""
    count = {1: "one", 2: "two", 3: "three"}[abs(days)]
    return f"B is {count} business day{'s' if abs(days) > 1 else ''} {'after' if days > 0 else 'before'} A."


def date_digits_swapped(d: Difference) -> str:
    """Two neighbouring digits of a date swapped."""
    return _slip(d, swapped)


def date_digit_typed(d: Difference) -> str:
    """One digit of a date typed wrongly."""
    return _slip(d, one_typed)


def _slip(d: Difference, made: Callable[[str, str, str], str]) -> str:
    a, b = d.value_a or "", d.value_b or ""
    said = made(a, b, "digit")
    return f"{said}: {a} became {b}." if said and day_of(a) and day_of(b) else ""
