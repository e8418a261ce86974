"""Exact bounds of a share (C. Clopper and E. Pearson, "The use of confidence or fiducial limits", Biometrika 1934)."""

import numpy as np
from scipy.special import bdtr, betaincinv


def upper_bound(errors: int, sample: int, delta: float = 0.05) -> float:
    """The share that is not exceeded with confidence 1 - delta, `errors` of `sample` being wrong; 1 without a sample."""
    if errors >= sample:
        return 1.0
    return float(betaincinv(errors + 1, sample - errors, 1 - delta))


def lower_bound(hits: int, sample: int, delta: float = 0.05) -> float:
    """The share that is reached with confidence 1 - delta; 0 without a hit."""
    if hits == 0:
        return 0.0
    return float(betaincinv(hits, sample - hits + 1, delta))


def exceeds_p_value(errors: np.ndarray, sample: np.ndarray, bound: float) -> np.ndarray:
    """P-values of "the share is above `bound`": how likely so few errors are when it is just that. 1 without a sample."""
    found = bdtr(errors.astype(float), np.maximum(sample, 1), bound)
    return np.where(sample > 0, found, 1.0)
