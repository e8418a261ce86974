"""What past labels say of a claim: how often it was confirmed for who and where, as of each difference. Pure, vectorized."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

PRIOR_WEIGHT = 8.0  # how many labels of its own a category needs to count as much as all others together

Counts = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class History:
    """Labels by category and reason: `counts[name]` has a row a category and a column a reason; `total` is over everything."""

    reasons: tuple[str, ...]
    counts: Counts
    total: np.ndarray

    def claim_shares(self, rows: pd.DataFrame) -> np.ndarray:
        """Rows x habits: the smoothed share that the claimed reason has of each habit's labels; NaN without a claim."""
        claimed = _numbers(rows, self.reasons)
        general = np.append((self.total + 1) / (self.total + 1).sum(), np.nan)[claimed]
        parts = []
        for name, table in self.counts.items():
            padded = np.vstack([table.to_numpy(), np.zeros(len(self.reasons))])  # what no label knows comes last
            place = table.index.get_indexer(rows[name])
            own = padded[place, np.minimum(claimed, len(self.reasons) - 1)]
            parts.append(_smoothed(own, padded.sum(axis=1)[place], general))
        return np.column_stack(parts)


def history_of(rows: pd.DataFrame, labels: np.ndarray, names: Sequence[str], reasons: Sequence[str]) -> History:
    """The history after all of these labels (numbers of reasons)."""
    once = np.eye(len(reasons))[labels]
    counts = {name: pd.DataFrame(once).groupby(rows[name].to_numpy()).sum() for name in names}
    return History(tuple(reasons), counts, once.sum(axis=0))


def as_of_shares(rows: pd.DataFrame, labels: np.ndarray, names: Sequence[str], reasons: Sequence[str]) -> np.ndarray:
    """The shares as they stood before each row, the rows being in the order of time: what serving would have known."""
    once = np.eye(len(reasons))[labels]
    before = once.cumsum(axis=0) - once
    claimed = _numbers(rows, tuple(reasons))
    there = np.minimum(claimed, len(reasons) - 1)
    lines = np.arange(len(rows))
    general = np.where(
        claimed < len(reasons), ((before + 1) / (before + 1).sum(axis=1, keepdims=True))[lines, there], np.nan
    )
    parts = []
    for name in names:
        own = pd.DataFrame(once).groupby(rows[name].to_numpy()).cumsum().to_numpy() - once
        parts.append(_smoothed(own[lines, there], own.sum(axis=1), general))
    return np.column_stack(parts)


def _numbers(rows: pd.DataFrame, reasons: Sequence[str]) -> np.ndarray:
    """The claimed reason's number; one past the last where there is none."""
    found = pd.Index(list(reasons), dtype=object).get_indexer(rows["claim"])
    return np.where(found < 0, len(reasons), found)


def _smoothed(own: np.ndarray, labels: np.ndarray, general: np.ndarray) -> np.ndarray:
    return np.asarray((own + PRIOR_WEIGHT * general) / (labels + PRIOR_WEIGHT), dtype=np.float32)


def share_names(names: Sequence[str]) -> list[str]:
    """The columns of shares, as people read them."""
    return [f"share of the claim for this {name}" for name in names]
