"""The mixes that drift is told from: reasons, confidence, missing values, and the habits' categories, as counts. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

Mixes = dict[str, dict[str, int]]

MOST = 50  # categories of a habit that are kept by name
OTHER = "(other)"
REASONS, CONFIDENCE, MISSING = "reasons", "confidence", "missing values"
BINS = 10


def mixes_of(rows: pd.DataFrame, reasons: np.ndarray, confidence: np.ndarray, habits: Sequence[str]) -> Mixes:
    """Of labels that a model had not seen: the reasons that it names, how sure it is, and what is in the rows."""
    sure = np.minimum((confidence * BINS).astype(int), BINS - 1)
    missing = np.where(rows["value_a"].isna(), "A", np.where(rows["value_b"].isna(), "B", "none"))
    found = {REASONS: reasons, CONFIDENCE: sure, MISSING: missing} | {name: rows[name] for name in habits}
    return {name: _most(pd.Series(values).astype(str).value_counts()) for name, values in found.items()}


def _most(counts: pd.Series) -> dict[str, int]:
    kept = {str(name): int(count) for name, count in counts.iloc[:MOST].items()}
    rest = int(counts.iloc[MOST:].sum())
    return kept | ({OTHER: rest} if rest else {})


def within(reference: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    """Counts with whatever the reference does not name as one category: what is new, or was rare."""
    kept = {name: count for name, count in found.items() if name in reference}
    new = sum(found.values()) - sum(kept.values())
    return kept | ({OTHER: kept.get(OTHER, 0) + new} if new else {})


def added(one: Mapping[str, Mapping[str, int]], other: Mapping[str, Mapping[str, int]]) -> Mixes:
    """The counts of two parts together."""
    return {
        name: {
            it: one.get(name, {}).get(it, 0) + other.get(name, {}).get(it, 0)
            for it in sorted({*one.get(name, {}), *other.get(name, {})})
        }
        for name in sorted({*one, *other})
    }
