"""The likelihood of rows whose reason depends on their place, and whose look on their reason alone. Pure.

p(reason | place) is a softmax of added weights, p(look | reason) a share of the looks of the row's kind. A labelled row counts with both,
an unnamed one with the sum over the reasons.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from attribution.statistics.calibration import log_softmax

LEAST = 1e-3  # labels, where a share begins


@dataclass(frozen=True)
class Rows:
    """Sparse ones: `places`, rows x (categories and a last column of ones); `looks`, rows x looks."""

    places: csr_array
    looks: csr_array


@dataclass(frozen=True)
class Mixture:
    """`once`: labelled rows x reasons, ones; `counts`: labels, and what counts before them, looks x reasons; `kinds`: where the looks
    of each kind begin; `held`: how strongly each weight of a place is held to zero, a column; each unnamed row is `counted` as so much
    of a label."""

    labelled: Rows
    once: np.ndarray
    counts: np.ndarray
    kinds: np.ndarray
    held: np.ndarray
    unnamed: Rows | None = None
    counted: float = 0.0

    def start(self) -> np.ndarray:
        """Where the search begins: places say nothing, looks what was counted."""
        return np.concatenate([np.zeros(len(self.held) * self.once.shape[1]), np.log(self.counts + LEAST).ravel()])

    def weights(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of a point the weights of places, categories x reasons, and the logarithms of p(look | reason), looks x reasons."""
        places, looks = self._parts(point)
        return places, looks - np.log(self._sums(np.exp(looks)))

    def loss(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The negative logarithm of the likelihood and of what counts beforehand, and its slope."""
        places, looks = self.weights(point)
        logs = log_softmax(self.labelled.places @ places)
        value = (self.held * places**2).sum() / 2 - (logs * self.once).sum() - (looks * self.counts).sum()
        slope = self.held * places + self.labelled.places.T @ (np.exp(logs) - self.once)
        counts = self.counts
        if self.unnamed is not None:
            before = log_softmax(self.unnamed.places @ places)
            both = before + self.unnamed.looks @ looks
            after = log_softmax(both)
            value -= self.counted * (both - after)[:, 0].sum()
            slope = slope + self.counted * (self.unnamed.places.T @ (np.exp(before) - np.exp(after)))
            counts = counts + self.counted * (self.unnamed.looks.T @ np.exp(after))
        of_looks = self._sums(counts) * np.exp(looks) - counts
        return float(value), np.concatenate([slope.ravel(), of_looks.ravel()])

    def _parts(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        reasons, end = self.once.shape[1], len(self.held) * self.once.shape[1]
        return point[:end].reshape(-1, reasons), point[end:].reshape(-1, reasons)

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """For each look the sum over the looks of its kind."""
        sizes = np.diff(np.append(self.kinds, len(values)))
        return np.repeat(np.add.reduceat(values, self.kinds, axis=0), sizes, axis=0)
