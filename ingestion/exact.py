"""Texts as exact numbers, of a size that can be reckoned with and written out: 1E999999 names a million digits. Pure."""

from decimal import Decimal, InvalidOperation

WIDTH = 76  # digits before the point, and behind it: twice as many as a field has at most
LONGEST = 80  # characters


def number(text: str | None) -> Decimal | None:
    """A plain decimal text as a number; None where it is none, none that ends, or wider than any field."""
    if text is None or len(text) > LONGEST:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and -WIDTH <= value.adjusted() <= WIDTH else None
