"""Readings of two numbers: sign, scale, rounding, cut places, slips of the fingers."""

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from attribution.provers.evidence import Difference, shown

WIDE = Context(prec=80)
ROUND = (ROUND_HALF_UP, ROUND_HALF_EVEN)
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
SHORTEST = 3  # characters of a text in which one may be wrong
NEAR = 0.051  # what rounding to whole units can do to a ratio from there on


def sign_flip(d: Difference) -> str:
    """B is A with the sign turned."""
    a, b = d.number_a, d.number_b
    return "B is A with the sign turned." if a and b is not None and a == b.copy_negate() else ""


def scale(d: Difference) -> str:
    """B is A times a power of ten."""
    a, b, ratio = d.number_a, d.number_b, _ratio(d)
    if not a or not ratio:
        return ""
    power = round(math.log10(ratio))
    if 1 <= abs(power) <= LARGEST_POWER and a.scaleb(power, WIDE) == b:
        return f"B is A {'times' if power > 0 else 'divided by'} {10 ** abs(power):,}."
    return ""


def unit_factor(d: Difference) -> str:
    """B is A times a unit factor, at the field's places."""
    a, b, ratio = d.number_a, d.number_b, _ratio(d)
    if not a or not b or not ratio or abs(b) < SMALLEST_IN_UNITS:
        return ""
    for near, factor, inverse, sentence in UNIT_FACTORS:
        if abs(ratio / near - 1) <= NEAR:  # a float only chooses what is worth an exact look
            value = WIDE.divide(a, factor) if inverse else WIDE.multiply(a, factor)
            if _rounded(value, Decimal(1).scaleb(-d.places), ROUND_HALF_UP) == b:
                return sentence
    return ""


def _ratio(d: Difference) -> float:
    """B divided by A; 0 where that is nothing to look at."""
    if not d.number_a or not d.number_b:
        return 0.0
    ratio = float(d.number_b) / float(d.number_a)
    return ratio if ratio > 0 and math.isfinite(ratio) else 0.0


def _rounded(value: Decimal, step: Decimal, mode: str) -> Decimal:
    return value.quantize(step, rounding=mode, context=WIDE)


def rounding(d: Difference) -> str:
    """B is A rounded to two places fewer than the field has, or to whole units; or A is B rounded."""
    return _to_fewer_places(d, "rounded", ROUND) if _spared(d) > 1 else ""


def rounding_of_last_place(d: Difference) -> str:
    """B is A rounded to all places of the field but one; a few of the last units more or less often look so."""
    return _to_fewer_places(d, "rounded", ROUND) if _spared(d) == 1 else ""


def cut(d: Difference) -> str:
    """B is A without its last places, or A is B without them."""
    return _to_fewer_places(d, "cut", (ROUND_DOWN,))


def _spared(d: Difference) -> int:
    """How many fewer places than the field has the coarser number needs."""
    return d.places - min(d.needs_a, d.needs_b)


def _to_fewer_places(d: Difference, done: str, modes: tuple[str, ...]) -> str:
    a, b = d.number_a, d.number_b
    if not a or not b or d.needs_a == d.needs_b:
        return ""
    fine, coarse, places, whose = (a, b, d.needs_b, "B is A") if d.needs_a > d.needs_b else (b, a, d.needs_a, "A is B")
    is_made = any(_rounded(fine, Decimal(1).scaleb(-places), mode) == coarse for mode in modes)
    return f"{whose} {done} to {places} place{'' if places == 1 else 's'}." if is_made else ""


def digits_swapped(d: Difference) -> str:
    """Two neighbouring digits swapped."""
    return _slip(d, swapped)


def digit_typed(d: Difference) -> str:
    """One digit typed wrongly."""
    return _slip(d, one_typed)


def digit_count(d: Difference) -> str:
    """One digit missing or doubled."""
    return _slip(d, one_more_or_less)


def _slip(d: Difference, made: Callable[[str, str, str], str]) -> str:
    a, b = d.number_a, d.number_b
    if not a or not b or (a < 0) != (b < 0):
        return ""
    said = made(d.plain_a, d.plain_b, "digit")
    return f"{said}: {shown(a)} became {shown(b)}." if said else ""


def swapped(a: str, b: str, what: str) -> str:
    """What to say when two neighbours swapped turn text `a` into `b`."""
    if len(a) != len(b) or a == b:
        return ""
    at = _first_apart(a, b)
    if a[at + 2 :] == b[at + 2 :] and a[at : at + 2] == b[at : at + 2][::-1]:
        return f"{what.capitalize()}s {a[at]} and {a[at + 1]} swapped"
    return ""


def one_typed(a: str, b: str, what: str) -> str:
    """What to say when one other digit, or one other letter, turns text `a` into `b`."""
    if len(a) != len(b) or len(a) < SHORTEST or a == b:
        return ""
    at = _first_apart(a, b)
    if a[at + 1 :] == b[at + 1 :] and _alike(a[at], b[at], what):
        return f"One {what} typed wrongly, {b[at]} for {a[at]}"
    return ""


def one_more_or_less(a: str, b: str, what: str) -> str:
    """What to say when one character left out of the longer text gives the shorter one."""
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    if len(longer) - len(shorter) != 1 or len(shorter) <= SHORTEST:
        return ""
    at = _first_apart(longer, shorter)
    if longer[at + 1 :] != shorter[at:]:
        return ""
    return f"One {what} {'missing' if longer is a else 'too many'}, {longer[at]}"


def _first_apart(a: str, b: str) -> int:
    """The first place at which two texts differ."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _alike(x: str, y: str, what: str) -> bool:
    return x.isdigit() and y.isdigit() if what == "digit" else x.isalpha() and y.isalpha()
