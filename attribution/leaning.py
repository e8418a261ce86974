"""What who, where and look say of a reason together: one weight a category and reason, learned so that none counts twice. Pure.

A multinomial logistic regression on categories with a ridge penalty, which stands for a normal prior of the weights (S. le
Cessie and J. van Houwelingen, "Ridge estimators in logistic regression", Applied Statistics 1992). The trees start from it.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack

from attribution.statistics.calibration import log_softmax
from attribution.statistics.descent import lowest

STEPS = 80  # of the optimizer
FOLDS = 5
HELD = 2.0  # how strongly weights are held to zero,
HELD_LOOK = 1.0  # those of looks less, which say most,
HELD_GENERAL = 0.05  # and hardly those of the reasons alone
LOOK = "look"  # the column of looks
EXACT = np.dtype("<f4")


@dataclass(frozen=True)
class Leaning:
    """`categories` of each column and `weights` of each column: categories x reasons, and a last row of zeros for what no label
    knows; `general`: of each reason alone."""

    categories: Mapping[str, Sequence[str]]
    weights: Mapping[str, np.ndarray]
    general: np.ndarray

    def parts(self, texts: pd.DataFrame) -> dict[str, np.ndarray]:
        """What each column adds to the margins: rows x reasons."""
        return {
            name: self.weights[name][pd.Index(known, dtype=object).get_indexer(texts[name])]
            for name, known in self.categories.items()
        }

    def margins(self, texts: pd.DataFrame) -> np.ndarray:
        """Rows x reasons."""
        margins = np.repeat(self.general[None, :].astype(float), len(texts), axis=0)
        for part in self.parts(texts).values():
            margins += part
        return margins

    def document(self) -> dict[str, Any]:
        """As JSON takes it; weights as the base64 of little-endian float32."""
        return {
            "categories": {name: list(known) for name, known in self.categories.items()},
            "weights": {name: _text(it) for name, it in self.weights.items()},
            "general": _text(self.general),
        }

    @classmethod
    def from_document(cls, given: Mapping[str, Any]) -> "Leaning":
        """From `document`."""
        general = _array(given["general"])
        weights = {name: _array(text).reshape(-1, len(general)) for name, text in given["weights"].items()}
        return cls(given["categories"], weights, general)


def _text(array: np.ndarray) -> str:
    return b64encode(array.astype(EXACT).tobytes()).decode()


def _array(text: str) -> np.ndarray:
    return np.frombuffer(b64decode(text), dtype=EXACT)


def leaning_of(
    texts: pd.DataFrame, labels: np.ndarray, start: np.ndarray, categories: Mapping[str, Sequence[str]]
) -> Leaning:
    """The weights that labels (numbers of reasons) have most likely, beyond the margins that they start from (rows x reasons)."""
    once = np.eye(start.shape[1])[labels]
    coded = _coded(texts, categories)
    turned = coded.T.tocsr()
    held = _held(categories)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(coded.shape[1], -1)
        logs = log_softmax(start + coded @ weights)
        slope = turned @ (np.exp(logs) - once) + held * weights
        return float(-logs[once > 0].sum() + (held * weights**2).sum() / 2), slope.ravel()

    size = coded.shape[1] * start.shape[1]
    found = lowest(loss, np.zeros(size), STEPS)
    return _leaning(found.reshape(-1, start.shape[1]).astype(EXACT), categories)


def _held(categories: Mapping[str, Sequence[str]]) -> np.ndarray:
    each = [np.full(len(known), HELD_LOOK if name == LOOK else HELD) for name, known in categories.items()]
    return np.concatenate([*each, [HELD_GENERAL]])[:, None]


def _leaning(weights: np.ndarray, categories: Mapping[str, Sequence[str]]) -> Leaning:
    ends = np.cumsum([len(known) for known in categories.values()])
    parts = np.split(weights[:-1], ends[:-1])
    nothing = np.zeros((1, weights.shape[1]), dtype=EXACT)
    return Leaning(
        categories,
        {name: np.vstack([part, nothing]) for name, part in zip(categories, parts, strict=True)},
        weights[-1],
    )


def _coded(texts: pd.DataFrame, categories: Mapping[str, Sequence[str]]) -> csr_array:
    """Ones where a row has a category; a last column of ones."""
    parts = []
    for name, known in categories.items():
        codes = pd.Index(known, dtype=object).get_indexer(texts[name])
        there = np.flatnonzero(codes >= 0)
        parts.append(csr_array((np.ones(len(there)), (there, codes[there])), shape=(len(texts), len(known))))
    return csr_array(hstack([*parts, csr_array(np.ones((len(texts), 1)))]))


def unseen_margins(
    texts: pd.DataFrame, labels: np.ndarray, start: np.ndarray, categories: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """For each label the margins of weights that were learned without it: what serving will see."""
    turn = np.arange(len(labels)) % FOLDS
    margins = np.zeros_like(start)
    for fold in range(FOLDS):
        held = turn == fold
        margins[held] = leaning_of(texts[~held], labels[~held], start[~held], categories).margins(texts[held])
    return margins
