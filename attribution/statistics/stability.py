"""The population stability index: how far a mix moved from a reference, and how far chance alone would move it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv  # scipy.stats knows the distribution, and takes a second to load

MOVED = 0.25  # what risk departments take for a clear move
BY_CHANCE = 0.999
HALF = 0.5  # added to each count, so that what was never seen costs no endless index


@dataclass(frozen=True)
class Move:
    """The index, the limit that it has to pass to count as a move, and how many were looked at."""

    index: float
    limit: float
    sample: int

    @property
    def is_clear(self) -> bool:
        """Whether more than chance moved it."""
        return self.index > self.limit


def move(reference: Mapping[str, float], found: Mapping[str, float]) -> Move:
    """From counts by category to counts by category. The limit is `MOVED`, or, of small samples, what chance reaches once in a
    thousand times (the index is nearly chi-square over the harmonic size)."""
    names = sorted({*reference, *found})
    before = np.array([reference.get(name, 0) + HALF for name in names])
    now = np.array([found.get(name, 0) + HALF for name in names])
    sizes = sum(reference.values()), sum(found.values())
    if len(names) < 2 or not all(sizes):
        return Move(0.0, MOVED, int(sizes[1]))
    p, q = before / before.sum(), now / now.sum()
    chance = 2 * float(gammaincinv((len(names) - 1) / 2, BY_CHANCE)) * (1 / sizes[0] + 1 / sizes[1])
    return Move(float(((q - p) * np.log(q / p)).sum()), max(MOVED, chance), int(sizes[1]))
