"""The lowest point of a smooth convex function (D. Liu and J. Nocedal, "On the limited memory BFGS method", 1989). Pure.

Sums are taken without a linear algebra library, whose threads would sum in another order on another machine: the same input
gives the same bytes.
"""

from collections.abc import Callable

import numpy as np

REMEMBERED = 10  # steps
SHORTEST = 1e-6  # of a step: below it, nothing is gained any more
ENOUGH = 1e-4  # of what the slope promises must be gained
FLAT = 1e-5  # the slope's largest part at which the search ends

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
Step = tuple[np.ndarray, np.ndarray]  # of the point and of the slope


def lowest(loss: Loss, start: np.ndarray, steps: int) -> np.ndarray:
    """Where `loss` (its value and slope at a point) is lowest, as near as `steps` come from `start`."""
    point, past = start, list[Step]()
    value, slope = loss(point)
    for _ in range(steps):
        if np.abs(slope).max() <= FLAT:
            break
        way = _downhill(slope, past)
        found = _along(loss, point, value, slope, way)
        if found is None:
            break
        there, value, slope_there = found
        past = [*past[-REMEMBERED + 1 :], (there - point, slope_there - slope)]
        point, slope = there, slope_there
    return point


def _downhill(slope: np.ndarray, past: list[Step]) -> np.ndarray:
    """The way that the remembered steps (of the point and of its slope) say is the best one down."""
    way, shares = -slope, []
    for step, turn in reversed(past):
        shares.append(_dot(step, way) / _dot(step, turn))
        way = way - shares[-1] * turn
    if past:
        step, turn = past[-1]
        way = way * (_dot(step, turn) / _dot(turn, turn))
    else:
        way = way / max(float(np.abs(slope).max()), 1.0)
    for (step, turn), share in zip(past, reversed(shares), strict=True):
        way = way + (share - _dot(turn, way) / _dot(step, turn)) * step
    return way


def _along(
    loss: Loss, point: np.ndarray, value: float, slope: np.ndarray, way: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """A point on the way that is lower by enough, its value and slope; None where there is none."""
    promised, share = _dot(slope, way), 1.0
    while share >= SHORTEST:
        there = point + share * way
        found, slope_there = loss(there)
        if found <= value + ENOUGH * share * promised and _dot(slope_there - slope, way) > 0:
            return there, found, slope_there
        share /= 2
    return None


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    return float((one * other).sum())
