"""Proofs about two numbers: sign, scale, rounding, digits."""

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
POWERS = tuple(Decimal(10) ** n for n in range(-9, 10) if n)


def sign_flip(d: Difference) -> str:
    """B is A with the sign turned."""
    a, b = d.number_a, d.number_b
    return "B is A with the sign turned." if a and b is not None and a == -b else ""


def scale(d: Difference) -> str:
    """B is A times a power of ten, or times a unit factor, at the field's places."""
    a, b = d.number_a, d.number_b
    if not a or not b:
        return ""
    for power in POWERS:
        if WIDE.multiply(a, power) == b:
            return f"B is A times {power:,f}." if power > 1 else f"B is A divided by {1 / power:,f}."
    step = Decimal(1).scaleb(-d.places)
    for text, words in UNITS.items():
        factor = Decimal(text)
        for value, sentence in (
            (WIDE.multiply(a, factor), f"B is A times {text}"),
            (WIDE.divide(a, factor), f"B is A divided by {text}"),
        ):
            if abs(b) >= 10 and _rounded(value, step, ROUND_HALF_UP) == b:
                return f"{sentence} ({words})."
    return ""


def _rounded(value: Decimal, step: Decimal, mode: str) -> Decimal:
    return value.quantize(step, rounding=mode, context=WIDE)


def rounding(d: Difference) -> str:
    """B is A rounded to fewer places, down to whole units; or both round to the same number of the coarser one's places."""
    a, b = d.number_a, d.number_b
    if a is None or b is None or a == b or not a or not b:
        return ""
    places_a, places_b = _places(a), _places(b)
    for fine, coarse, places, whose in ((a, b, places_b, "B is A"), (b, a, places_a, "A is B")):
        if _places(fine) <= places:
            continue
        step = Decimal(1).scaleb(-places)
        if any(_rounded(fine, step, mode) == coarse for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN)):
            return f"{whose} rounded to {places} places."
    return ""


def _places(value: Decimal) -> int:
    return max(-int(value.normalize(WIDE).as_tuple().exponent), 0)


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
