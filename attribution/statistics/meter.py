"""The meter: about how many more labelled records bring a certificate of a bound, if errors stay as rare as they were. Pure."""

import math
from collections.abc import Iterable

import numpy as np

from attribution.statistics.bounds import exceeds_p_value

MOST = 1_000_000  # labelled passes; beyond, more labels are no answer


def passes_needed(share: float, bound: float, delta: float = 0.05) -> int | None:
    """How many labelled passes certify `bound` where a `share` of them is wrong; None where that many would be beyond reason."""
    if share >= bound:
        return None
    low, high = 1, MOST
    while low < high:
        middle = (low + high) // 2
        if _holds(share, middle, bound, delta):
            high = middle
        else:
            low = middle + 1
    return low if _holds(share, low, bound, delta) else None


def _holds(share: float, sample: int, bound: float, delta: float) -> bool:
    errors = np.array([math.ceil(share * sample)])
    return bool(exceeds_p_value(errors, np.array([sample]), bound)[0] <= delta)


def reviews_needed(
    curve: Iterable[tuple[int, int]], held_out: int, bound: float, kept: float, counted: int | None = None
) -> int | None:
    """How many more labels bring the certificate: over the points of a curve (passes, errors) of `held_out` labels, the fewest.
    `kept`: the share of labels that is held out; `counted`: how many of them speak for all records, all where nothing is said.
    0: the labels there are would do; None: not with this model."""
    fair = 1.0 if counted is None or not held_out else counted / held_out
    found = [
        max(0, math.ceil((needed - passes * fair) * held_out / passes / kept))
        for passes, errors in curve
        if passes and (needed := passes_needed(errors / passes, bound)) is not None
    ]
    return min(found, default=None)
