"""The audit's test: evidence, at any time, that what passes is wrong more often than a bound. Pure.

A test martingale (G. Shafer et al., "Test martingales, Bayes factors and p-values", 2011): the mean of likelihood ratios of
2, 3, 5 and 10 times the bound against the bound, of which 3 times weighs most. While the bound holds it seldom grows, however
often one looks: Ville's inequality allows it a chance of 1/14 ever to reach 14, and since it steps over 14 rather than on it, the
chance is 4.8 % at most, at each bound of the ladder (reckoned exactly in tests/attribution/test_audit_streams.py).
"""

from collections.abc import Iterable

import numpy as np

TIMES = (2, 3, 5, 10)
WEIGHTS = (1, 3, 1, 1)
TRIPS = 14.0  # the bound is broken
WARNS = 5.0


def evidence(wrong: Iterable[bool], bound: float) -> np.ndarray:
    """The evidence after each answer of a window, 1 being none."""
    answers = np.fromiter(wrong, dtype=bool)
    shares = np.minimum(np.array(TIMES) * bound, 0.99)[:, None]
    steps = np.where(answers[None, :], np.log(shares / bound), np.log((1 - shares) / (1 - bound)))
    return np.asarray(np.average(np.exp(np.cumsum(steps, axis=1)), axis=0, weights=WEIGHTS))


def trips_at(wrong: Iterable[bool], bound: float) -> int | None:
    """After how many answers the bound counts as broken; None while it does not."""
    reached = np.flatnonzero(evidence(wrong, bound) >= TRIPS)
    return int(reached[0]) + 1 if len(reached) else None
