"""The learned model: probabilities of reasons from a difference's features. Pure; the same data and seed give the same bytes.

In: a frame with a row a difference: what `features` asks for, `claim` (the reason that the provers lean to, or empty) and the
columns of context. Boosted trees start from what is known without them (the base margin): what who, where, look and the provers' claim
say together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attribution.features import code_features, value_features
from attribution.history import History, as_of_shares, history_of, share_names
from attribution.leaning import LOOK, Leaning, leaning_of, unseen_margins
from attribution.novelty import NOTHING, Familiar, familiar, signatures_of
from attribution.statistics.calibration import log_softmax, temperature

if TYPE_CHECKING:
    import xgboost as xgb

SHARES_FROM = 300  # labels: with fewer, frequencies by category cost accuracy
MANY = 3_000  # labels: with fewer, the latest are too few to calibrate on, and each round grows several trees
LATER = 0.2  # the last share of the labels, held out to calibrate and to measure
FOLDS = 4  # into which few labels are dealt to calibrate
RARE = 3  # a category with fewer labels has no code of its own
DOUBT = 10.0  # labels that say nothing of any reason, when the confidence is calibrated
UNNAMED_EACH = 10  # differences without a label for each label at most
TREES = 3  # a round, while labels are few


@dataclass(frozen=True)
class Columns:
    """Which columns of the rows are categories, and which of them people act through (their habits are counted)."""

    codes: tuple[str, ...]
    habits: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A trained model with everything that serving needs."""

    reasons: tuple[str, ...]
    columns: Columns
    known: Mapping[str, Sequence[str]]
    history: History | None
    leaning: Leaning
    booster: "xgb.Booster"
    temperature: float
    familiar: Familiar

    def probabilities(self, rows: pd.DataFrame) -> np.ndarray:
        """Calibrated probabilities, rows x reasons."""
        return np.exp(log_softmax(self.margins(rows) / self.temperature))

    def unfamiliar(self, rows: pd.DataFrame) -> np.ndarray:
        """A sentence for each row that no label resembles, an empty text for the others."""
        rows = rows.reset_index(drop=True)
        return self.familiar.unfamiliar(rows, value_features(rows))

    def margins(self, rows: pd.DataFrame) -> np.ndarray:
        """Margins, rows x reasons, before the temperature."""
        if not len(rows):
            return np.zeros((0, len(self.reasons)))
        return np.asarray(self.booster.predict(_matrix(*self.seen(rows)), output_margin=True), dtype=float)

    def seen(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """What the trees look at, rows x features, and where they start from: margins, rows x reasons."""
        rows = rows.reset_index(drop=True)
        values = value_features(rows)
        shares = self.history.claim_shares(rows) if self.history else None
        start = self.leaning.margins(_leaned_on(rows, values, self.columns))
        return _features(rows, values, self.columns, self.known, shares), start

    def contributions(self, features: pd.DataFrame, start: np.ndarray) -> np.ndarray:
        """Of what `seen` gave, what each feature adds to the margins (exact Shapley values): rows x reasons x (features and one
        more, which holds the start and what the trees say of all alike)."""
        found = self.booster.predict(_matrix(features, start), pred_contribs=True, strict_shape=True)
        return np.asarray(found, dtype=float)


def train(
    rows: pd.DataFrame,
    labels: np.ndarray,
    reasons: Sequence[str],
    columns: Columns,
    *,
    unnamed: pd.DataFrame | None = None,
    seed: int = 0,
) -> Model:
    """Learn from labelled differences in the order of time. `labels`: numbers of `reasons`; `unnamed`: differences that nobody gave a
    reason, of which the leaning learns, too."""
    rows = rows.reset_index(drop=True)
    more = None if unnamed is None else _unnamed(unnamed.tail(UNNAMED_EACH * len(rows)), columns)
    warmth = temperature(*_unseen(rows, labels, reasons, columns, more, seed), doubt=DOUBT / (len(rows) + DOUBT))
    model = _fit(rows, labels, reasons, columns, more, warmth, seed)
    return replace(model, familiar=familiar(rows, value_features(rows), columns.habits))


def _unnamed(rows: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    rows = rows.reset_index(drop=True)
    return _leaned_on(rows, value_features(rows), columns)


def _unseen(
    rows: pd.DataFrame,
    labels: np.ndarray,
    reasons: Sequence[str],
    columns: Columns,
    more: pd.DataFrame | None,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Margins of labels that the model did not see, and these labels: the later ones, or, of few, each in its turn."""
    places = np.arange(len(rows))
    cut = len(rows) - int(len(rows) * LATER)
    parts = [places >= cut] if len(rows) >= MANY else [places % FOLDS == fold for fold in range(FOLDS)]
    margins = np.zeros((len(rows), len(reasons)))
    for part in parts:
        margins[part] = _fit(rows[~part], labels[~part], reasons, columns, more, 1.0, seed).margins(rows[part])
    held = np.any(parts, axis=0)
    return margins[held], labels[held]


def _fit(
    rows: pd.DataFrame,
    labels: np.ndarray,
    reasons: Sequence[str],
    columns: Columns,
    more: pd.DataFrame | None,
    warmth: float,
    seed: int,
) -> Model:
    import xgboost as xgb  # here, so that only who needs a model loads it

    rows = rows.reset_index(drop=True)
    values = value_features(rows)
    known = {name: _frequent(rows[name]) for name in columns.codes}
    texts = _leaned_on(rows, values, columns)
    told = (texts, labels, reasons, {name: _frequent(texts[name]) for name in columns.habits}, more)
    leaning = leaning_of(*told)
    learns_habits = len(rows) >= SHARES_FROM and bool(columns.habits)
    shares = as_of_shares(rows, labels, columns.habits, reasons) if learns_habits else None
    data = _matrix(_features(rows, values, columns, known, shares), unseen_margins(*told))
    data.set_label(labels)
    booster = xgb.train(_parameters(len(reasons), len(rows), seed), data, num_boost_round=rounds(len(rows)))
    history = history_of(rows, labels, columns.habits, reasons) if learns_habits else None
    return Model(tuple(reasons), columns, known, history, leaning, booster, warmth, NOTHING)


def rounds(labels: int) -> int:
    """Rounds that fit the number of labels."""
    return int(np.clip(20 * (labels / 100) ** 0.25, 20, 60))


def _parameters(classes: int, labels: int, seed: int) -> dict[str, object]:
    return {
        "objective": "multi:softprob", "num_class": classes, "eta": 0.1, "max_depth": 4, "subsample": 0.8,
        "colsample_bytree": 0.5, "lambda": 1.0, "tree_method": "hist", "max_bin": 64, "seed": seed, "nthread": 1,
        "num_parallel_tree": 1 if labels >= MANY else TREES,
    }  # fmt: skip


def _frequent(column: pd.Series) -> list[str]:
    counts = column.value_counts()
    return sorted(map(str, counts[counts >= RARE].index))


def _leaned_on(rows: pd.DataFrame, values: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The categories that lean: the habits, the field, and what the values look like together with the claim."""
    return rows[list(columns.habits)].astype(str).assign(**{LOOK: signatures_of(rows, values)})


def _features(
    rows: pd.DataFrame,
    values: pd.DataFrame,
    columns: Columns,
    known: Mapping[str, Sequence[str]],
    shares: np.ndarray | None,
) -> pd.DataFrame:
    parts = [values, code_features(rows, columns.codes, known)]
    if shares is not None:
        parts.append(pd.DataFrame(shares, columns=share_names(columns.habits), index=rows.index))
    return pd.concat(parts, axis=1)


def _matrix(frame: pd.DataFrame, start: np.ndarray) -> "xgb.DMatrix":
    import xgboost as xgb

    return xgb.DMatrix(frame, base_margin=np.ascontiguousarray(start, dtype=np.float32), nthread=1)
