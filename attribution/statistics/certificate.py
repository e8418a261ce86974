"""The certificate: the threshold above which what passes is wrong less often than a bound, with the evidence. Pure.

Learn then Test (A. Angelopoulos et al., "Learn then Test: Calibrating predictive algorithms to achieve risk control", 2021) by
fixed sequences from three starts: the thresholds are fixed before a label is read, and tested from each start towards laxer
ones, each start at its share of the allowed failure, as long as the exact binomial test rejects. A sequence that comes to the next
start hands on what it holds (F. Bretz et al., "A graphical approach to sequentially rejective multiple test procedures", 2009). In any
order and with any shares fixed beforehand the chance that a certified threshold breaks the bound is at most `delta`.
"""

from dataclasses import dataclass

import numpy as np

from attribution.statistics.bounds import exceeds_p_value, upper_bound

STEPS = 60
# Where the sequences begin, as a share of the steps from the strictest to the laxest, and each one's share of the allowed failure.
STARTS = ((0.1, 0.1), (0.2, 0.8), (0.45, 0.1))


@dataclass(frozen=True)
class Certified:
    """Scores of at least `threshold` pass. Of `sample` labelled ones `errors` were wrong; their share is at most `upper` with
    the confidence that the sequence had."""

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
    best, allowed = _laxest(exceeds_p_value(errors[sample], sample, bound), delta)
    if best < 0:
        return None
    found, wrongly = int(sample[best]), int(errors[sample[best]])
    return Certified(float(grid[best]), found, wrongly, upper_bound(wrongly, found, allowed))


def _laxest(p_values: np.ndarray, delta: float) -> tuple[int, float]:
    """The last step that is rejected, -1 where none is, and the failure that it was allowed."""
    begins = np.zeros(len(p_values))
    for start, share in STARTS:
        begins[int(start * len(p_values))] += delta * share
    best, allowed, held = -1, delta, 0.0
    for step, p_value in enumerate(p_values):
        held += begins[step]
        if p_value > held or not held:
            held = 0.0
        else:
            best, allowed = step, float(held)
    return best, allowed
