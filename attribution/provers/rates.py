"""Explanations of an amount by another number of the same record, and by small ratios."""

from decimal import ROUND_HALF_UP, Decimal

from attribution.provers.evidence import Context, Difference
from attribution.provers.numbers import WIDE
from ingestion.exact import number

SMALL = Decimal("0.02")
SMALL_RATIO = 0.02  # no day-count ratio is further from 1
NOISE = 1e-9  # of floats that only choose what is worth an exact look
PRICE_WORDS = ("price", "rate", "yield", "quote", "fx")
DAY_COUNTS = tuple(
    (x, y) for x, y in ((360, 365), (365, 360), (365, 366), (366, 365), (360, 366), (366, 360), (364, 365), (365, 364))
)


def fx_variance(d: Difference, context: Context) -> str:
    """B's amount is A's times the ratio of the two records' other number, or its inverse."""
    a, b = d.number_a, d.number_b
    if not a or not b:
        return ""
    step = Decimal(1).scaleb(-d.places)
    for name in context.decimals:
        if name == d.field:
            continue
        other_a, other_b = number(d.record_a.get(name)), number(d.record_b.get(name))
        if not other_a or not other_b or other_a == other_b:
            continue
        for top, bottom in ((other_b, other_a), (other_a, other_b)):
            value = WIDE.divide(WIDE.multiply(a, top), bottom)
            if abs(value.quantize(step, rounding=ROUND_HALF_UP, context=WIDE) - b) <= step:
                return f"The difference of {name}, {other_a:f} against {other_b:f}, explains the amount."
    return ""


def price_move(d: Difference) -> str:
    """A price-like field a little apart: a hint, no proof."""
    a, b = d.number_a, d.number_b
    if not a or not b or not any(word in d.field for word in PRICE_WORDS):
        return ""
    apart = abs(b - a) / abs(a)
    return f"{apart * 100:.2f} % apart." if 0 < apart <= SMALL else ""


def day_count(d: Difference) -> str:
    """An amount apart by a day-count ratio."""
    a, b = d.number_a, d.number_b
    if not a or not b or d.places == 0:
        return ""
    step = Decimal(1).scaleb(-d.places)
    ratio, margin = float(b) / float(a), float(step) / abs(float(a)) + NOISE
    if abs(ratio - 1) > SMALL_RATIO + margin:
        return ""
    for x, y in DAY_COUNTS:
        if abs(ratio - x / y) > margin:
            continue  # too far for rounding; the exact look is dear
        value = WIDE.divide(WIDE.multiply(a, Decimal(x)), Decimal(y))
        if value.quantize(step, rounding=ROUND_HALF_UP, context=WIDE) == b:
            return f"B is A times {x}/{y}, a day-count ratio."
    return ""
