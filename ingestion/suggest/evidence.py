"""Evidence: how often two columns say the same in aligned rows, in which form, and how often chance alone would."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.suggest.readings import Reading, Style, of_kind

SHIFTS = (1, 7, 31)  # rows that one side is shifted by, to see what chance does
DAY = 86_400_000_000  # microseconds
QUARTER, FARTHEST = 900_000_000, 14 * 3_600_000_000  # time zones differ by quarters of an hour, up to 14 hours
PLAUSIBLE, CLEAR, CLEAREST = 2.2, 3.0, 4.5  # standard deviations
STRONG = 0.5  # agreement beyond chance
REPEATED = 1.5  # rows a code
MAPPED = 0.8  # the share of rows that a value map explains, at least
CODES = 400  # distinct values that a value map may have
NEARLY_ALL = 0.5  # the share of rows that must be near
NEAR = 0.01  # of the spread of a column: numbers that are near each other
FACTORS = (*(10.0**k for k in range(-9, 10) if k), 0.3048, 1 / 0.3048, 60, 1 / 60, 3600, 1 / 3600, 24, 12, 1 / 12)
FACTORS = (*FACTORS, 1000 / 0.45359237 / 1000, 0.45359237, 1.609344, 1 / 1.609344, 1.852, 1 / 1.852, 365, 360, 2, 0.5)
WEIGHT = {
    "same": 1.0, "date": 0.995, "number": 0.995, "fold": 0.985, "clock": 0.98, "factor": 0.96, "map": 0.9, "shift": 0.95, "near": 0.8, "words": 0.8, "begin": 0.6,
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """`agree` of `both` rows that are filled on both sides agree in a form; by chance the share `chance` would.

    `factor`: B is A times it. `kind` is empty where nothing could be compared.
    """

    kind: str = ""
    agree: int = 0
    both: int = 0
    chance: float = 1.0
    style_a: Style = None
    style_b: Style = None
    factor: float = 1.0
    rows: int = 0

    @property
    def share(self) -> float:
        """The share of rows that agree."""
        return self.agree / self.both if self.both else 0.0

    @property
    def beyond_chance(self) -> float:
        """From 0 (as chance does) to 1 (always); 0 where chance agrees nearly always."""
        if self.chance > 0.97 or not self.both:
            return 0.0
        return max(self.share - self.chance, 0.0) / (1 - self.chance)

    @property
    def is_clear(self) -> bool:
        """Whether chance can be ruled out for these two columns."""
        return self._deviation > CLEAR or self.is_clearest

    @property
    def is_clearest(self) -> bool:
        """Whether chance can be ruled out although every pair of columns was tried; a strong agreement needs fewer rows."""
        if self.beyond_chance >= STRONG:
            return self._deviation > PLAUSIBLE
        return self._deviation > CLEAREST

    @property
    def _deviation(self) -> float:
        """How far the agreement lies from what chance gives, in standard deviations."""
        if self.both < 2 or self.chance > 0.97:
            return 0.0
        chance = max(self.chance, 1 / (self.both + 1))
        return (self.share - chance) / math.sqrt(chance * (1 - chance) / self.both)

    @property
    def weight(self) -> float:
        """What it counts for: a plainer form and more rows count more."""
        return self.beyond_chance * WEIGHT.get(self.kind, 0.0) * self.both / (self.both + 1.5)


def compare(a: Sequence[Reading], b: Sequence[Reading]) -> Evidence:
    """The form in which two columns agree most, the plainest first. A value that a form cannot read agrees with none."""
    found = [_equal("same", a[0], b[0])]
    if found[0].share > 0.999:
        return found[0]
    found += [it for x in of_kind(a, "date") for y in of_kind(b, "date") for it in _dates(x, y)]
    for x in of_kind(a, "number"):
        for y in of_kind(b, "number"):
            found += _numbers(x, y)
    both_numbers = of_kind(a, "number") and of_kind(b, "number")
    for kind in ("clock",) if both_numbers else ("fold", "clock"):  # 1,50 and 150 are not one number
        found += [_equal(kind, x, y) for x in of_kind(a, kind) for y in of_kind(b, kind)]
    best = max(found, key=lambda it: it.weight)  # a value map is tried where nothing plainer agrees
    if best.weight < 0.5:
        found += [_equal(kind, x, y) for kind in ("words", "begin") for x in of_kind(a, kind) for y in of_kind(b, kind)]
    coded = not (of_kind(a, "date") and of_kind(b, "date"))
    if best.weight < 0.85 and coded:
        found.append(_map(of_kind(a, "fold")[0], of_kind(b, "fold")[0]))
    return max(found, key=lambda it: (it.weight, it.share))


def _equal(kind: str, a: Reading, b: Reading) -> Evidence:
    return _measured(kind, a, b, lambda x, y: x == y)


def _dates(a: Reading, b: Reading) -> list[Evidence]:
    both_timed = getattr(a.style, "has_time", False) and getattr(b.style, "has_time", False)
    unit = 1 if both_timed else DAY
    found = [_measured("date", a, b, lambda x, y: x // unit == y // unit)]
    if both_timed and found[0].share < 0.5 and len(shifts := _shifts(a, b)):
        found.append(_measured("shift", a, b, lambda x, y: np.isin(y - x, shifts)))
    return found


def _shifts(a: Reading, b: Reading) -> np.ndarray:
    """The one or two time differences, as between time zones, that most rows have."""
    there = a.there & b.there
    gaps, times = np.unique(b.values[there] - a.values[there], return_counts=True)
    likely = (gaps % QUARTER == 0) & (np.abs(gaps) <= FARTHEST) & (gaps != 0) & (times * 20 >= there.sum())
    return gaps[likely][np.argsort(-times[likely])][:2]


def _numbers(a: Reading, b: Reading) -> list[Evidence]:
    plain = _measured("number", a, b, lambda x, y: x == y)
    found = [plain]
    there = a.there & b.there
    if plain.share > 0.9 or there.sum() < 3:
        return found
    spread = min(it.spread for it in (a, b))
    if spread > 0 and _cross(a, b):
        near = _measured("near", a, b, lambda x, y: np.abs(x - y) <= NEAR * spread)
        found += [near] if near.share >= NEARLY_ALL else []
    if plain.share < 0.5 and (factor := _factor(a.values[there], b.values[there])):
        found.append(_measured("factor", a, b, lambda x, y: np.abs(x * factor - y) <= 1e-6 * np.abs(y), factor=factor))
    return found


def _cross(a: Reading, b: Reading) -> bool:
    """Whether the bulk of the one column lies where that of the other does."""
    return max(a.low, b.low) <= min(a.high, b.high)


def _factor(a: np.ndarray, b: np.ndarray) -> float:
    """The number that most of A's values are multiplied by; 0 where there is none."""
    usable = (a != 0) & (b != 0)
    if usable.sum() < 3:
        return 0.0
    ratios = b[usable] / a[usable]
    middle = float(np.median(ratios))
    if middle == 0 or np.mean(np.abs(ratios / middle - 1) < 1e-3) < 0.4:
        return 0.0
    for known in (*FACTORS, -1.0, *(-it for it in FACTORS)):
        if abs(middle / known - 1) < 2e-4:
            return known
    return 0.0


def _map(a: Reading, b: Reading) -> Evidence:
    """Whether each value of one side goes with one value of the other."""
    (wide, left), (high, right) = a.codes, b.codes
    there = a.there & b.there
    both = int(there.sum())
    if not (1 < wide <= CODES and 1 < high <= CODES) or both < REPEATED * max(wide, high):
        return Evidence()
    left, right = left[there], right[there]
    kept = _kept(left, right, wide, high)
    chance = float(np.mean([_kept(left, np.roll(right, shift), wide, high) for shift in SHIFTS]))
    if kept < MAPPED:
        return Evidence()
    constant = max(np.bincount(left).max(), np.bincount(right).max()) / both
    return Evidence("map", round(kept * both), both, max(chance, constant), rows=len(a.there))


def _kept(left: np.ndarray, right: np.ndarray, wide: int, high: int) -> float:
    """The share of rows that the likeliest partner of each value explains, in the worse direction."""
    table = np.bincount(left * high + right, minlength=wide * high).reshape(wide, high)
    return float(min(table.max(axis=0).sum(), table.max(axis=1).sum())) / len(left)


def _measured(
    kind: str, a: Reading, b: Reading, equal: Callable[[np.ndarray, np.ndarray], np.ndarray], *, factor: float = 1.0
) -> Evidence:
    filled = a.filled & b.filled
    both = int(filled.sum())
    if not both:
        return Evidence(kind, rows=len(filled), style_a=a.style, style_b=b.style)
    x, y, readable_x, readable_y = a.values[filled], b.values[filled], a.there[filled], b.there[filled]
    agree = int((equal(x, y) & readable_x & readable_y).sum())
    shifts = [shift for shift in SHIFTS if shift < both] if agree else []
    met = [(equal(x, np.roll(y, shift)) & readable_x & np.roll(readable_y, shift)).mean() for shift in shifts]
    return Evidence(kind, agree, both, float(np.mean(met)) if met else 0.0, a.style, b.style, factor, len(filled))
