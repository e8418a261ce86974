"""The certificate: the threshold above which what passes is wrong less often than a bound, with the evidence. Pure.

Learn then Test (A. Angelopoulos et al., "Learn then Test: Calibrating predictive algorithms to achieve risk control", 2021) by
one fixed sequence: the thresholds are fixed before a label is read, and tested from a strict one towards laxer ones, each at the
whole allowed failure, as long as the exact binomial test rejects. In any order fixed beforehand the chance that a certified
threshold breaks the bound is at most `delta`.
"""

from dataclasses import dataclass

import numpy as np

from attribution.statistics.bounds import exceeds_p_value, upper_bound

STEPS = 60
# Where the sequence begins, as a share of the steps from the strictest to the laxest: stricter thresholds have too few labels.
START = 0.2


@dataclass(frozen=True)
class Certified:
    """Scores of at least `threshold` pass. Of `sample` labelled ones `errors` were wrong; their share is at most `upper` with
    confidence 1 - `delta`."""

    threshold: float
    sample: int
    errors: int
    upper: float


def threshold_grid(scores: np.ndarray, floor: float) -> np.ndarray:
    """Thresholds from strict to lax, so that equal shares of unlabelled scores lie between them; none below `floor`."""
    passable = scores[scores >= floor]
    if not len(passable):
        return np.array([floor])
    shares = 1 - np.linspace(0, 1, STEPS + 1)[1:]
    return np.unique(np.quantile(passable, shares, method="lower"))[::-1]


def certify(
    scores: np.ndarray, wrong: np.ndarray, grid: np.ndarray, *, bound: float, delta: float = 0.05
) -> Certified | None:
    """The laxest threshold of the grid whose error is certified to be at most `bound`; None where there is none.

    `scores` and `wrong`: labelled records in no order, drawn at random from those above the grid's last threshold at least.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, errors = scores[order], np.concatenate([[0], np.cumsum(wrong[order])])
    sample = np.searchsorted(-ranked, -grid, side="right")
    held = exceeds_p_value(errors[sample], sample, bound) <= delta
    start = int(START * len(grid))
    best = start + int(np.append(held[start:], False).argmin()) - 1
    if best < start:
        return None
    found, wrongly = int(sample[best]), int(errors[sample[best]])
    return Certified(float(grid[best]), found, wrongly, upper_bound(wrongly, found, delta))
