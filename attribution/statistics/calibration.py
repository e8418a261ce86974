"""Calibration: probabilities that are true on the average, by one temperature (C. Guo et al., 2017). Pure."""

import numpy as np

LEAST, MOST = 0.2, 5.0
BINS = 15


def temperature(margins: np.ndarray, labels: np.ndarray, doubt: float = 0.0) -> float:
    """The temperature at which margins (rows x classes) give the labels the highest likelihood; 1 without labels. `doubt`: the share of
    each label that is laid upon all classes alike, so that few labels do not make sure (J. Platt, "Probabilistic outputs for support
    vector machines", 1999, does so with two)."""
    if not len(labels):
        return 1.0
    from scipy.optimize import minimize_scalar  # here, since only training asks, and every process loads this file

    def loss(log_t: float) -> float:
        logs = log_softmax(margins / np.exp(log_t))
        return -float(np.mean((1 - doubt) * logs[np.arange(len(labels)), labels] + doubt * logs.mean(axis=1)))

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(np.exp(found.x))


def log_softmax(margins: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities, row by row."""
    shifted = margins - margins.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error: the mean distance of confidence and truth, over bins of equally many rows."""
    if not len(confidence):
        return 0.0
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [abs(confidence[part].mean() - right[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(order))
