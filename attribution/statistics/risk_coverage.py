"""The risk-coverage curve: what passes above each threshold, and how often it is wrong. Pure."""

from collections.abc import Iterator

import numpy as np

# From lax to strict; fine where the gates stand.
THRESHOLDS = tuple(
    round(it / 1000, 3) for it in (*range(500, 900, 20), *range(900, 990, 10), *range(990, 1000))
)  # fmt: skip
Point = list[float | int | list[int]]


def risk_coverage(
    scores: np.ndarray, said: np.ndarray, labels: np.ndarray, functional: np.ndarray, extra: float
) -> list[Point]:
    """A point a threshold, `extra` among them: [threshold, how many pass strictly above it, errors among them, other reasons
    among them, [how many pass under each functional reason]].

    `scores`: one a label, below 0 where it may never pass; `said`, `labels`: numbers of reasons; `functional`: whether each is.
    """
    return list(_points(scores, said, labels, functional, sorted({*THRESHOLDS, round(extra, 7)})))


def _points(
    scores: np.ndarray, said: np.ndarray, labels: np.ndarray, functional: np.ndarray, thresholds: list[float]
) -> Iterator[Point]:
    wrong, other = ~functional[labels], said != labels
    for threshold in thresholds:
        passes = scores > threshold
        named = np.bincount(said[passes], minlength=len(functional))[functional]
        yield [
            threshold,
            int(passes.sum()),
            int((passes & wrong).sum()),
            int((passes & other).sum()),
            [int(it) for it in named],
        ]
