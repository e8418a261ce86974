"""What is told of a model's probabilities: the best reasons, how likely the cause is functional, and the gate's score. Pure.

Shares are told in thousandths, cut, so that they are never more than the model said and the gate sees few kinds of breaks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.classifier import FLOOR

THREE = 3
STEPS = 1000


@dataclass(frozen=True)
class Told:
    """A row a difference. `order`: numbers of its best reasons, the best first; `confidence`: their shares, negative where the
    run may not name a reason; `functional_share`: of all functional reasons together; `is_functional`: of the best."""

    order: np.ndarray
    confidence: np.ndarray
    functional_share: np.ndarray
    is_functional: np.ndarray

    def scores(self, familiar: np.ndarray) -> np.ndarray:
        """What the gate compares: the functional share; 0 for a difference that is UNKNOWN or whose best reason is an error."""
        is_sure = self.confidence[:, 0] >= float(FLOOR)
        return np.where(familiar & is_sure & self.is_functional, self.functional_share, 0.0)


def tell(chances: np.ndarray, model_reasons: Sequence[str], reasons: Mapping[str, bool | None]) -> Told:
    """From probabilities (rows x `model_reasons`); `reasons`: those that a run may name, and whether each is functional."""
    named = np.array([reason in reasons for reason in model_reasons], dtype=bool)
    functional = np.array([bool(reasons.get(reason)) for reason in model_reasons], dtype=bool)
    allowed = np.where(named, chances, -1.0)
    order = np.argsort(-allowed, axis=1, kind="stable")[:, :THREE]
    best = np.take_along_axis(allowed, order, axis=1)
    return Told(
        order,
        np.where(best < 0, best, _cut(best)),
        _cut(chances[:, named & functional].sum(axis=1)),
        functional[order[:, 0]],
    )


def _cut(shares: np.ndarray) -> np.ndarray:
    return np.asarray(np.floor(np.clip(shares, 0, (STEPS - 1) / STEPS) * STEPS) / STEPS)
