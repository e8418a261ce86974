"""What else could have made B of A: a proof stands where nothing else comes near.

Each reading of a difference could have made so many values of A: its ways. Rounding can make three of an amount, one wrong digit
some sixty, and a few cents more or less as many as there are cents between. The fewer the ways, the less is left to chance (the
shortest description wins; J. Rissanen, "Modeling by shortest data description", Automatica 1978). Where two readings of different
reasons fit, the one with a fifth of the other's ways is the proof, and of two that are closer neither is.
"""

from collections.abc import Iterable

from attribution.provers.dates import day_of
from attribution.provers.evidence import Difference

CLEAR = 5  # times the ways of a proof
ROUND_AMOUNTS = 216  # nine digits at twelve powers of ten, more or less: gaps such as 40.00 or 0.05
MOST_DIGITS = 6  # a gap of more digits is no round amount
MOST = 100  # digits of a text that are looked at
DIGITS = "0123456789"
SAME = str.maketrans(DIGITS, "0" * len(DIGITS))


def clear(own: int, others: Iterable[int]) -> bool:
    """Whether ways are few enough beside those of everything else that could have made B."""
    return CLEAR * own <= min(others)


def chance_ways(d: Difference, most: int) -> int:
    """How many values are as near to A as B is, as small as the smaller of them, or apart by an amount as round; `most` where that
    says nothing."""
    if d.number_a is not None and d.number_b is not None:
        gap, small = abs(d.number_a - d.number_b), min(abs(d.number_a), abs(d.number_b))
        steps = min(gap, small or gap).scaleb(d.places)
        return min(2 * int(steps) if steps < most else most, _round("".join(map(str, gap.as_tuple().digits))), most)
    a, b = day_of(d.value_a), day_of(d.value_b)
    return min(2 * abs((a - b).days) if a and b else _numbered(d.value_a or "", d.value_b or "", most), most)


def _round(digits: str) -> int:
    """How many amounts have as few digits."""
    return int(ROUND_AMOUNTS * 10 ** (min(len(digits.strip("0")), MOST_DIGITS) - 1))


def _numbered(a: str, b: str, most: int) -> int:
    """How many texts with other digits are as near, where two texts differ in nothing else."""
    if a == b or a.translate(SAME) != b.translate(SAME):
        return most
    return 2 * abs(_of_digits(a) - _of_digits(b))


def _of_digits(text: str) -> int:
    return int("".join(char for char in text if char in DIGITS)[:MOST])
