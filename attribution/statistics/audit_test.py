"""The audit's test: evidence, at any time, that what passes is wrong more often than a bound. Pure.

A test martingale (G. Shafer et al., "Test martingales, Bayes factors and p-values", 2011): the mean of likelihood ratios of
2, 3, 5 and 10 times the bound against the bound. By Ville's inequality it ever reaches 1/alpha with a chance of at most alpha
while the bound holds, however often one looks.
"""

from collections.abc import Iterable

import numpy as np

TIMES = (2, 3, 5, 10)
TRIPS = 20.0  # the bound is broken: alpha 0.05
WARNS = 5.0


def evidence(wrong: Iterable[bool], bound: float) -> np.ndarray:
    """The evidence after each answer of a window, 1 being none."""
    answers = np.fromiter(wrong, dtype=bool)
    shares = np.minimum(np.array(TIMES) * bound, 0.99)[:, None]
    steps = np.where(answers[None, :], np.log(shares / bound), np.log((1 - shares) / (1 - bound)))
    return np.asarray(np.exp(np.cumsum(steps, axis=1)).mean(axis=0))


def trips_at(wrong: Iterable[bool], bound: float) -> int | None:
    """After how many answers the bound counts as broken; None while it does not."""
    reached = np.flatnonzero(evidence(wrong, bound) >= TRIPS)
    return int(reached[0]) + 1 if len(reached) else None
