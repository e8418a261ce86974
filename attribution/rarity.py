"""Rarity: how seldom the labels look like this for such a who and where. Pure, deterministic.

A cause that no label knows may look like a known one; then only the place gives it away: a look that this counterparty, this field,
this trader hardly ever has. A look's share of its kind's labels is multiplied by how much more often than by chance each habit goes
with it; a label more on both sides keeps rare categories from saying much (W. DuMouchel, "Bayesian data mining in large frequency
tables", The American Statistician 1999, on such shrinkage).
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

UNLIKELY = 0.09  # of the labels: as many as are rarer, by all other labels, than the limit
WEIGHT = 1.0  # labels added to those seen and to those that chance would bring
COUNT = np.dtype("<u4")
CELL = np.dtype("<u8")


@dataclass(frozen=True)
class Pairs:
    """Labels of looks and categories together. `cells`: numbers of those there are (look x categories + category), sorted, and
    `counts` of each; `totals`: categories of a kind, kinds x categories."""

    categories: Sequence[str]
    cells: np.ndarray
    counts: np.ndarray
    totals: np.ndarray

    def seen(self, looks: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """How many labels have both."""
        wanted = looks * len(self.categories) + codes
        at = np.minimum(np.searchsorted(self.cells, wanted), len(self.cells) - 1)
        return np.where(self.cells[at] == wanted, self.counts[at], 0)

    def document(self) -> dict[str, Any]:
        """As JSON takes it; numbers as the base64 of little-endian integers."""
        return {
            "categories": list(self.categories),
            "cells": _text(self.cells, CELL),
            "counts": _text(self.counts, COUNT),
            "totals": _text(self.totals, COUNT),
        }

    @classmethod
    def from_document(cls, given: Mapping[str, Any]) -> "Pairs":
        """From `document`."""
        categories = given["categories"]
        totals = _array(given["totals"], COUNT).reshape(-1, len(categories))
        return cls(categories, _array(given["cells"], CELL), _array(given["counts"], COUNT), totals)


@dataclass(frozen=True)
class Rarity:
    """What the labels know. `counts` of each look and `kinds` of each (numbers); `pairs` by habit; `limit`: the least logarithm
    of a share."""

    looks: Sequence[str]
    counts: np.ndarray
    kinds: np.ndarray
    pairs: Mapping[str, Pairs]
    limit: float

    def counts_of(self, looks: np.ndarray) -> np.ndarray:
        """How many labels have each look."""
        return np.append(self.counts, 0)[self._numbers(looks)]

    def rare(self, rows: pd.DataFrame, looks: np.ndarray) -> np.ndarray:
        """Whether each row is rarer than the limit, or has a look that no label has."""
        numbers = self._numbers(looks)
        known = np.flatnonzero(numbers >= 0)
        found = np.ones(len(numbers), dtype=bool)
        found[known] = self.shares(rows.iloc[known], numbers[known]) < self.limit
        return found

    def _numbers(self, looks: np.ndarray) -> np.ndarray:
        return np.asarray(pd.Index(self.looks, dtype=object).get_indexer(looks))

    def shares(self, rows: pd.DataFrame, looks: np.ndarray, *, own: int = 0) -> np.ndarray:
        """The logarithm of the share of labels that look so where each row is, by the numbers of its looks. `own`: 1 where the rows
        are the labels themselves, each of which is left out of its own counts."""
        here, kinds = self.counts[looks] - own, self.kinds[looks]
        of_kind = np.bincount(self.kinds, weights=self.counts)[kinds]
        shares = np.log(np.maximum(here, 0.5) / of_kind)
        for name, pairs in self.pairs.items():
            codes = pd.Index(pairs.categories, dtype=object).get_indexer(rows[name])
            chance = here * pairs.totals[kinds, codes] / of_kind
            lift = np.log((np.maximum(pairs.seen(looks, codes) - own, 0) + WEIGHT) / (chance + WEIGHT))
            shares += np.where(codes < 0, 0.0, lift)
        return np.asarray(shares)

    def document(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "looks": list(self.looks),
            "counts": _text(self.counts, COUNT),
            "kinds": _text(self.kinds, COUNT),
            "pairs": {name: it.document() for name, it in self.pairs.items()},
            "limit": self.limit,
        }

    @classmethod
    def from_document(cls, given: Mapping[str, Any]) -> "Rarity":
        """From `document`."""
        pairs = {name: Pairs.from_document(it) for name, it in given["pairs"].items()}
        return cls(given["looks"], _array(given["counts"], COUNT), _array(given["kinds"], COUNT), pairs, given["limit"])


def rarity_of(rows: pd.DataFrame, looks: np.ndarray, habits: Sequence[str]) -> Rarity:
    """From labelled differences, the look of each, and who and where."""
    numbers, known = pd.factorize(looks, sort=True)
    counts = np.bincount(numbers)
    kinds = pd.factorize(rows["kind"], sort=True)[0]
    kind_of = np.zeros(len(known), dtype=int)
    kind_of[numbers] = kinds
    pairs = {name: _pairs(rows[name], numbers, kinds) for name in habits}
    made = Rarity([str(it) for it in known], counts, kind_of, pairs, 0.0)
    shares = made.shares(rows, numbers, own=1)
    return Rarity(made.looks, counts, kind_of, pairs, float(np.quantile(shares, UNLIKELY, method="lower")))


def _pairs(column: pd.Series, looks: np.ndarray, kinds: np.ndarray) -> Pairs:
    codes, categories = pd.factorize(column.astype(str), sort=True)
    cells, counts = np.unique(looks * len(categories) + codes, return_counts=True)
    totals = np.zeros((kinds.max() + 1, len(categories)), dtype=int)
    np.add.at(totals, (kinds, codes), 1)
    return Pairs([str(it) for it in categories], cells, counts, totals)


def _text(array: np.ndarray, exact: np.dtype[Any]) -> str:
    return b64encode(array.astype(exact).tobytes()).decode()


def _array(text: str, exact: np.dtype[Any]) -> np.ndarray:
    return np.frombuffer(b64decode(text), dtype=exact).astype(np.int64)
