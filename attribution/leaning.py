"""What who, where and look say of a reason together. Pure.

Two things are learned at once: how likely each reason is for who and where (a multinomial logistic regression with a ridge penalty, which
stands for a normal prior of the weights; S. le Cessie and J. van Houwelingen, "Ridge estimators in logistic regression", Applied
Statistics 1992), and how the differences of a reason look, which is taken to be the same for everybody. So differences that nobody gave
a reason teach too: a counterparty whose differences look like cut texts cuts texts (K. Nigam et al., "Text classification from labeled
and unlabeled documents using EM", Machine Learning 2000; here by the slope of the same likelihood). The trees start from it.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack

from attribution.novelty import SEPARATOR
from attribution.statistics.descent import lowest
from attribution.statistics.mixture import Mixture, Rows

STEPS = 60  # of the optimizer from labels alone,
STEPS_MORE = 25  # and then from all differences
FOLDS = 5
HELD = 2.0  # how strongly weights are held to zero,
HELD_GENERAL = 0.05  # and hardly those of the reasons alone
SPREAD = 0.3  # labels a look that each reason is given beforehand, in the looks' own shares
PROOF_WEIGHT = 4.0  # how many labels a prover's own claim is worth
UNNAMED = 0.3  # of a label: what a difference without one counts,
UNNAMED_MOST = 1.5  # and all of them together at most, in labels
LOOK = "look"  # the column of looks: kind, claim, look
EXACT = np.dtype("<f4")
Categories = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Leaning:
    """`categories` of each column and `weights` of each column: categories x reasons, and a last row of zeros for what training
    did not see; `general`: of each reason alone."""

    categories: Categories
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
    texts: pd.DataFrame,
    labels: np.ndarray,
    reasons: Sequence[str],
    places: Categories,
    unnamed: pd.DataFrame | None = None,
) -> Leaning:
    """The weights that labels (numbers of `reasons`) and differences without one have most likely. `places`: the categories of each
    column of who and where; both frames have these columns and `look`."""
    looks = sorted({*texts[LOOK], *(() if unnamed is None else unnamed[LOOK])})
    rows = _rows(texts, places, looks)
    once = np.eye(len(reasons))[labels]
    counts = _beforehand(rows, looks, reasons) + rows.looks.T @ once
    mixture = Mixture(rows, once, counts, _kinds(looks), _held(places))
    point = lowest(mixture.loss, mixture.start(), STEPS)
    if unnamed is not None and len(unnamed):
        counted = min(UNNAMED, UNNAMED_MOST * len(texts) / len(unnamed))
        more = replace(mixture, unnamed=_rows(unnamed, places, looks), counted=counted)
        point = lowest(more.loss, point, STEPS_MORE)
    return _leaning(*mixture.weights(point), {**places, LOOK: looks})


def _rows(texts: pd.DataFrame, places: Categories, looks: Sequence[str]) -> Rows:
    """Ones where a row has a category of who and where, with a last column of ones, and where it has a look."""
    parts = [_coded(texts[name], known) for name, known in places.items()]
    return Rows(csr_array(hstack([*parts, csr_array(np.ones((len(texts), 1)))])), _coded(texts[LOOK], looks))


def _coded(column: pd.Series, known: Sequence[str]) -> csr_array:
    codes = pd.Index(known, dtype=object).get_indexer(column)
    there = np.flatnonzero(codes >= 0)
    return csr_array((np.ones(len(there)), (there, codes[there])), shape=(len(column), len(known)))


def _kinds(looks: Sequence[str]) -> np.ndarray:
    """Where the looks of each kind begin; they are sorted, and the kind comes first."""
    kinds = [it.split(SEPARATOR)[0] for it in looks]
    return np.flatnonzero([n == 0 or kinds[n] != kinds[n - 1] for n in range(len(kinds))])


def _beforehand(rows: Rows, looks: Sequence[str], reasons: Sequence[str]) -> np.ndarray:
    """Labels that count before any is read, looks x reasons: the looks of all for each reason, and for what the provers claim theirs."""
    claims = pd.Index([it.split(SEPARATOR)[1] for it in looks], dtype=object)
    common = np.asarray(rows.looks.sum(axis=0)) + 1.0
    spread = SPREAD * common / common.mean()
    own = np.array([claims == reason for reason in reasons]).T * common[:, None]
    return np.asarray(spread[:, None] + PROOF_WEIGHT * own / np.maximum(own.sum(axis=0), 1.0))


def _held(places: Categories) -> np.ndarray:
    return np.append(np.full(sum(map(len, places.values())), HELD), HELD_GENERAL)[:, None]


def _leaning(places: np.ndarray, looks: np.ndarray, categories: Categories) -> Leaning:
    """Looks weigh against their mean over the reasons, so that one which training did not see says nothing."""
    weights = np.vstack([places[:-1], looks - looks.mean(axis=1, keepdims=True)]).astype(EXACT)
    nothing = np.zeros((1, weights.shape[1]), dtype=EXACT)
    parts = np.split(weights, np.cumsum([len(known) for known in categories.values()])[:-1])
    named = {name: np.vstack([part, nothing]) for name, part in zip(categories, parts, strict=True)}
    return Leaning(categories, named, places[-1].astype(EXACT))


def unseen_margins(
    texts: pd.DataFrame,
    labels: np.ndarray,
    reasons: Sequence[str],
    places: Categories,
    unnamed: pd.DataFrame | None = None,
) -> np.ndarray:
    """For each label the margins of weights that were learned without it: what serving will see."""
    turn = np.arange(len(labels)) % FOLDS
    margins = np.zeros((len(labels), len(reasons)))
    for fold in range(FOLDS):
        held = turn == fold
        margins[held] = leaning_of(texts[~held], labels[~held], reasons, places, unnamed).margins(texts[held])
    return margins
