"""Proofs about two numbers: sign, scale, rounding, digits."""

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from attribution.provers.evidence import Difference, shown

WIDE = Context(prec=80)
UNITS = {
    "0.3048": "feet read as metres",
    "25.4": "inches read as millimetres",
    "0.45359237": "pounds read as kilograms",
    "1.609344": "miles read as kilometres",
    "12": "years read as months",
    "60": "minutes read as seconds",
    "3600": "hours read as seconds",
    "365": "years read as days",
}
LARGEST_POWER = 9
UNIT_FACTORS = tuple(
    (1 / float(text) if inverse else float(text), Decimal(text), inverse, f"B is A {word} {text} ({words}).")
    for text, words in UNITS.items()
    for inverse, word in ((False, "times"), (True, "divided by"))
)
SMALLEST_IN_UNITS = 10  # below it rounding alone makes a factor fit
NEAR = 0.051  # what rounding to whole units can do to a ratio from there on


def sign_flip(d: Difference) -> str:
    """B is A with the sign turned."""
    a, b = d.number_a, d.number_b
    return "B is A with the sign turned." if a and b is not None and a == -b else ""


def scale(d: Difference) -> str:
    """B is A times a power of ten, or times a unit factor, at the field's places."""
    a, b = d.number_a, d.number_b
    if not a or not b or (ratio := float(b) / float(a)) <= 0 or not math.isfinite(ratio):
        return ""
    power = round(math.log10(ratio))
    if 1 <= abs(power) <= LARGEST_POWER and a.scaleb(power, WIDE) == b:
        return f"B is A {'times' if power > 0 else 'divided by'} {10 ** abs(power):,}."
    return _unit_factor(a, b, ratio, d.places)


def _unit_factor(a: Decimal, b: Decimal, ratio: float, places: int) -> str:
    """The ratio as a float only chooses what is worth an exact look."""
    if abs(b) < SMALLEST_IN_UNITS:
        return ""
    for near, factor, inverse, sentence in UNIT_FACTORS:
        if abs(ratio / near - 1) <= NEAR:
            value = WIDE.divide(a, factor) if inverse else WIDE.multiply(a, factor)
            if _rounded(value, Decimal(1).scaleb(-places), ROUND_HALF_UP) == b:
                return sentence
    return ""


def _rounded(value: Decimal, step: Decimal, mode: str) -> Decimal:
    return value.quantize(step, rounding=mode, context=WIDE)


def rounding(d: Difference) -> str:
    """B is A rounded to fewer places, down to whole units; or both round to the same number of the coarser one's places."""
    a, b = d.number_a, d.number_b
    if a is None or b is None or a == b or not a or not b:
        return ""
    places_a, places_b = _places(d.value_a), _places(d.value_b)
    if places_a == places_b:
        return ""
    fine, coarse, places, whose = (a, b, places_b, "B is A") if places_a > places_b else (b, a, places_a, "A is B")
    step = Decimal(1).scaleb(-places)
    is_rounded = any(_rounded(fine, step, mode) == coarse for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN))
    return f"{whose} rounded to {places} place{'' if places == 1 else 's'}." if is_rounded else ""


def _places(text: str | None) -> int:
    """The decimal places that a canonical number needs."""
    return len((text or "").rpartition(".")[2].rstrip("0")) if "." in (text or "") else 0


def digits(d: Difference) -> str:
    """Two neighbouring digits swapped, or one digit typed wrongly, missing or doubled."""
    a, b = d.number_a, d.number_b
    if not a or not b or (a < 0) != (b < 0):
        return ""
    return typed_apart(_plain(a, d.places), _plain(b, d.places), f"{shown(a)} became {shown(b)}", "digit")


def _plain(value: Decimal, places: int) -> str:
    return f"{abs(value):.{places}f}"


def typed_apart(a: str, b: str, became: str, what: str) -> str:
    """A sentence when one slip of the fingers turns text `a` into `b`: a swap, a wrong, missing or extra character."""
    if len(a) == len(b):
        apart = [n for n, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(apart) == 2 and apart[1] == apart[0] + 1 and a[apart[0]] == b[apart[1]] and a[apart[1]] == b[apart[0]]:
            return f"{what.capitalize()}s {a[apart[0]]} and {a[apart[1]]} swapped: {became}."
        if len(apart) == 1 and len(a) >= 3 and _alike(a[apart[0]], b[apart[0]], what):
            return f"One {what} typed wrongly, {b[apart[0]]} for {a[apart[0]]}: {became}."
        return ""
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    if len(longer) - len(shorter) != 1 or len(shorter) < 4:
        return ""
    at = next((n for n, (x, y) in enumerate(zip(longer, shorter, strict=False)) if x != y), len(shorter))
    if longer[:at] + longer[at + 1 :] != shorter:
        return ""
    return f"One {what} {'missing' if longer is a else 'too many'}, {longer[at]}: {became}."


def _alike(x: str, y: str, what: str) -> bool:
    return x.isdigit() and y.isdigit() if what == "digit" else x.isalnum() and y.isalnum()
