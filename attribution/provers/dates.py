"""Proofs about two dates."""

import datetime as dt

from attribution.provers.evidence import Context, Difference


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def day_month(d: Difference) -> str:
    """Day and month swapped."""
    a, b = _day(d.value_a), _day(d.value_b)
    if a and b and a != b and a.year == b.year and a.month == b.day and a.day == b.month:
        return f"Day and month swapped: {a:%-d %b} became {b:%-d %b}."
    return ""


def business_days(d: Difference, context: Context) -> str:
    """One to three business days apart."""
    a, b = _day(d.value_a), _day(d.value_b)
    if a is None or b is None or not 0 < abs((b - a).days) <= 14:
        return ""
    days = context.calendar.business_days_between(a, b)
    if not 1 <= abs(days) <= 3:
        return ""
    count = {1: "one", 2: "two", 3: "three"}[abs(days)]
    return f"B is {count} business day{'s' if abs(days) > 1 else ''} {'after' if days > 0 else 'before'} A."


def date_digits(d: Difference) -> str:
    """One digit of a date typed wrongly."""
    a, b = d.value_a or "", d.value_b or ""
    if len(a) != len(b) or _day(a) is None or _day(b) is None:
        return ""
    apart = [n for n, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(apart) == 1:
        return f"One digit typed wrongly, {b[apart[0]]} for {a[apart[0]]}: {a} became {b}."
    if len(apart) == 2 and apart[1] == apart[0] + 1 and a[apart[0]] == b[apart[1]] and a[apart[1]] == b[apart[0]]:
        return f"Digits {a[apart[0]]} and {a[apart[1]]} swapped: {a} became {b}."
    return ""
