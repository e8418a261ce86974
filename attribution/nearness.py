"""How alike two differences of one field are, by what can be seen of them: who and where, the gap, its direction. Never by the
reason that was given, so that what was decided of alike ones says something. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from rapidfuzz.distance import OSA

from ingestion.exact import number

ALIKE = 0.75  # from which a past difference is like one
WHO = 2.0  # weight of who and where; every other question has 1
LONGEST = 200


@dataclass(frozen=True)
class Look:
    """What is seen of a difference: both values, and its record's values of the fields that people act through."""

    value_a: str | None
    value_b: str | None
    habits: Sequence[str | None]


@dataclass(frozen=True)
class Gap:
    """How far B is from A, and relative to A where that means something; `up`: whether B is the larger."""

    size: float
    relative: float | None
    up: bool | None


def gap_of(look: Look) -> Gap | None:
    """The gap of numbers, of dates in days, of texts in steps; None where a value is missing."""
    if not look.value_a or not look.value_b:
        return None
    a, b = look.value_a[:LONGEST], look.value_b[:LONGEST]
    try:
        Decimal(a), Decimal(b)
    except InvalidOperation:
        return _of_dates(a, b) or Gap(float(OSA.distance(a, b)), None, None)
    first, second = number(a), number(b)
    if first is None or second is None:
        return None
    apart = abs(second - first)
    return Gap(float(apart), float(apart / abs(first)) if first else None, second > first)


def _of_dates(a: str, b: str) -> Gap | None:
    try:
        days = (date.fromisoformat(b[:10]) - date.fromisoformat(a[:10])).days
    except ValueError:
        return None
    return Gap(float(abs(days)), None, days > 0)


def nearness(one: Look, other: Look) -> float:
    """From 0, nothing alike, to 1: the same who and where, and the same gap in the same direction."""
    answers = list(_answers(one, other))
    return sum(weight * answer for weight, answer in answers) / sum(weight for weight, _ in answers) if answers else 0.0


def _answers(one: Look, other: Look) -> Iterator[tuple[float, float]]:
    if one.habits:
        same = sum(a == b for a, b in zip(one.habits, other.habits, strict=True))
        yield WHO, same / len(one.habits)
    first, second = gap_of(one), gap_of(other)
    if first is None or second is None:
        is_same = (not one.value_a, not one.value_b) == (not other.value_a, not other.value_b)
        yield 1.0, float(first is second and is_same)
        return
    sizes = [_ratio(first.size, second.size)]
    if first.relative is not None and second.relative is not None:
        sizes.append(_ratio(first.relative, second.relative))
    yield 1.0, max(sizes)  # a fee is the same amount, a rate the same share: either is alike
    if first.up is not None and second.up is not None:
        yield 1.0, float(first.up == second.up)


def _ratio(a: float, b: float) -> float:
    return min(a, b) / max(a, b) if max(a, b) else 1.0
