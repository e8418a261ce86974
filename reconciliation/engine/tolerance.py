"""SQL of numeric tolerances, exact at any width: nothing is rounded and nothing overflows."""

from decimal import Decimal

from ingestion.shape import Leaf
from reconciliation.engine.rules import CompareRule

WIDTH = 38  # digits of the widest decimal
LIMB = 13  # digits; the product of two limbs fits a HUGEINT, three limbs hold any decimal
LIMBS = 3


def within_sql(leaf: Leaf, rule: CompareRule, a: str, b: str) -> str:
    """|a-b| <= absolute + share*|b| for an integer or decimal leaf."""
    digits, places = (leaf.digits, leaf.places) if leaf.kind == "decimal" else (19, 0)
    build = _in_decimals if _fits(digits, places, rule) else _in_whole_numbers
    return build(digits, places, rule, a, b)


def _whole(number: Decimal) -> tuple[int, int]:
    """A number as a whole number and the places to shift it by."""
    _, digits, exponent = number.as_tuple()
    value = int("".join(map(str, digits)) or "0")
    return (value, -int(exponent)) if int(exponent) < 0 else (value * 10 ** int(exponent), 0)


def _width(number: Decimal) -> tuple[int, int]:
    """Digits and places of the decimal type that holds a number exactly."""
    value, places = _whole(number)
    return max(len(str(value)), places), places


def _fits(digits: int, places: int, rule: CompareRule) -> bool:
    """Whether every type that DuckDB derives for the plain expression holds its values."""
    (share_digits, share_places), (limit_digits, limit_places) = _width(rule.share), _width(rule.absolute)
    scale = max(places + share_places, limit_places)
    ahead = max(digits + share_digits - places - share_places, limit_digits - limit_places, digits - places) + 1
    return ahead + scale <= WIDTH


def _in_decimals(digits: int, places: int, rule: CompareRule, a: str, b: str) -> str:
    kind = f"DECIMAL({digits},{places})"
    limit = _decimal(rule.absolute)
    if rule.share:
        limit = f"{limit} + {_decimal(rule.share)} * abs(CAST({b} AS {kind}))"
    return f"abs(CAST({a} AS {kind}) - CAST({b} AS {kind})) <= {limit}"


def _decimal(number: Decimal) -> str:
    digits, places = _width(number)
    return f"CAST('{number:f}' AS DECIMAL({digits},{places}))"


def _in_whole_numbers(digits: int, places: int, rule: CompareRule, a: str, b: str) -> str:
    """The same in whole numbers without a bound, all at one scale; slow, for rules too wide for a decimal."""
    share, share_places = _whole(rule.share)
    limit, limit_places = _whole(rule.absolute)
    scale = max(places + share_places, limit_places)
    left, right = (_big(f"{_digits(side)} || '{'0' * (scale - places)}'") for side in (a, b))
    terms = [_big(f"'{limit}{'0' * (scale - limit_places)}'"), *_product(b, share, scale - places - share_places)]
    allowed = " + ".join(terms)
    return f"({left} - {right} <= {allowed} AND {right} - {left} <= {allowed})"


def _big(text: str) -> str:
    return f"CAST({text} AS BIGNUM)"


def _digits(number: str) -> str:
    return f"replace(CAST({number} AS VARCHAR), '.', '')"


def _product(number: str, factor: int, zeros: int) -> list[str]:
    """The terms of |number| times a constant, by limbs: BIGNUM itself only adds."""
    padded = f"lpad(ltrim({_digits(number)}, '-'), {LIMB * LIMBS}, '0')"
    terms = []
    for n in range(LIMBS):
        limb = f"CAST(substr({padded}, {LIMB * (LIMBS - 1 - n) + 1}, {LIMB}) AS HUGEINT)"
        rest, m = factor, 0
        while rest:
            rest, digits = divmod(rest, 10**LIMB)
            shift = "0" * (LIMB * (n + m) + zeros)
            terms.append(_big(f"CAST({limb} * {digits} AS VARCHAR) || '{shift}'"))
            m += 1
    return terms
