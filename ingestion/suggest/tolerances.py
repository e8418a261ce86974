"""Tolerances: differences of numbers that are no more than rounding, float noise or another survey."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NOISE = 1e-9  # relative; binary floats written out
MOST = 0.85  # the share of rows that a tolerance for a noisy measure must cover
SMALL = 0.01  # of the spread: a tolerance may not be larger
STEPS = tuple(step * 10.0**k for k in range(-9, 7) for step in (1, 2, 5))


@dataclass(frozen=True)
class Tolerance:
    """An absolute tolerance, how many of the unequal rows it covers, and why that is no difference."""

    absolute: str
    covered: int
    unequal: int
    reason: str

    def rule(self) -> Mapping[str, object]:
        """As a definition writes it."""
        return {"absolute": self.absolute}


def tolerance_of(a: np.ndarray, b: np.ndarray, places_a: int, places_b: int) -> Tolerance | None:
    """The tolerance that two columns of aligned numbers (not a number where there is none) call for; often none."""
    there = np.isfinite(a) & np.isfinite(b)
    x, y = a[there], b[there]
    gaps = np.abs(x - y)
    unequal = int((gaps > 0).sum())
    if not unequal:
        return None
    return _noise(gaps, y, unequal) or _rounding(gaps, unequal, places_a, places_b) or _survey(gaps, x, unequal)


def _noise(gaps: np.ndarray, y: np.ndarray, unequal: int) -> Tolerance | None:
    tiny = int(((gaps > 0) & (gaps <= NOISE * np.maximum(np.abs(y), 1e-3))).sum())
    if tiny * 2 < unequal:
        return None
    largest = float(np.abs(y).max())
    absolute = 10.0 ** max(-9, int(np.ceil(np.log10(max(largest * 1e-12, 1e-12)))))
    return Tolerance(_text(absolute), tiny, unequal, "binary floats written out")


def _rounding(gaps: np.ndarray, unequal: int, places_a: int, places_b: int) -> Tolerance | None:
    if places_a == places_b:
        return None
    coarse = min(places_a, places_b)
    half = 0.5 * 10.0**-coarse
    covered = int(((gaps > 0) & (gaps <= half * (1 + 1e-9))).sum())
    if covered * 2 < unequal or covered < 2:
        return None
    return Tolerance(_text(half), covered, unequal, f"one side is rounded to {coarse} places, the other has more")


def _survey(gaps: np.ndarray, x: np.ndarray, unequal: int) -> Tolerance | None:
    """Most rows differ, by little: two measurements of one thing."""
    if unequal * 2 < len(gaps) or len(gaps) < 20:
        return None
    spread = float(np.subtract(*np.percentile(x, [90, 10])))
    for step in STEPS:
        if step > SMALL * spread:
            return None
        if (gaps <= step).mean() >= MOST:
            covered = int(((gaps > 0) & (gaps <= step)).sum())
            return Tolerance(_text(step), covered, unequal, "most rows differ a little, as two measurements do")
    return None


def _text(number: float) -> str:
    return f"{number:.12f}".rstrip("0").rstrip(".")


def places_in(numbers: np.ndarray) -> int:
    """The decimals that nearly all numbers have at most."""
    found = numbers[np.isfinite(numbers)][:2000]
    if not len(found):
        return 0
    return max(len(text.partition(".")[2].rstrip("0")) for text in (f"{it:.12f}" for it in found))
