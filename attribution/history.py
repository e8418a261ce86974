"""What past labels say of who and where: shares of reasons by category, as of each difference. Pure, vectorized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

PRIOR_WEIGHT = 8.0  # how many labels of its own a category needs to count as much as all others together

Counts = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Shares:
    """The smoothed shares of reasons for each row: `own`, rows x habits x reasons, and `general`, over everything."""

    own: np.ndarray
    general: np.ndarray

    def columns(self) -> np.ndarray:
        """Rows x (habits x reasons), in the order of `share_names`."""
        return self.own.reshape(len(self.own), -1).astype(np.float32)

    def leaning(self) -> np.ndarray:
        """What the habits together say beyond what holds for everyone: rows x reasons, sums of log ratios."""
        habits = self.own.shape[1]
        return np.asarray(np.log(self.own).sum(axis=1) - habits * np.log(self.general))


@dataclass(frozen=True)
class History:
    """Labels by category and reason: `counts[name]` has a row a category and a column a reason; `total` is over everything."""

    reasons: tuple[str, ...]
    counts: Counts
    total: np.ndarray

    def shares(self, rows: pd.DataFrame) -> Shares:
        """The shares for each row, after all labels."""
        general = np.atleast_2d((self.total + 1) / (self.total + 1).sum())
        parts = [
            _smoothed(table.reindex(rows[name]).fillna(0).to_numpy(), general) for name, table in self.counts.items()
        ]
        return Shares(np.stack(parts, axis=1), general)


def history_of(rows: pd.DataFrame, labels: np.ndarray, names: Sequence[str], reasons: Sequence[str]) -> History:
    """The history after all of these labels (numbers of reasons)."""
    once = np.eye(len(reasons))[labels]
    counts = {name: pd.DataFrame(once).groupby(rows[name].to_numpy()).sum() for name in names}
    return History(tuple(reasons), counts, once.sum(axis=0))


def as_of_shares(rows: pd.DataFrame, labels: np.ndarray, names: Sequence[str], reasons: Sequence[str]) -> Shares:
    """The shares as they stood before each row, the rows being in the order of time: what serving would have known."""
    once = np.eye(len(reasons))[labels]
    before = once.cumsum(axis=0) - once
    general = (before + 1) / (before + 1).sum(axis=1, keepdims=True)
    parts = [
        _smoothed(pd.DataFrame(once).groupby(rows[name].to_numpy()).cumsum().to_numpy() - once, general)
        for name in names
    ]
    return Shares(np.stack(parts, axis=1), general)


def _smoothed(own: np.ndarray, general: np.ndarray) -> np.ndarray:
    return np.asarray((own + PRIOR_WEIGHT * general) / (own.sum(axis=1, keepdims=True) + PRIOR_WEIGHT))


def share_names(names: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """The columns of shares, as people read them."""
    return [f"share of {reason} for this {name}" for name in names for reason in reasons]
