"""How good a model is on labels that it has not seen: numbers with intervals, beside those of the provers alone. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.classifier import FLOOR
from attribution.statistics.bounds import lower_bound, upper_bound
from attribution.statistics.calibration import calibration_error
from attribution.statistics.risk_coverage import risk_coverage

EACH_SIDE = 0.025  # of a 95 % interval
GROUPS = 10
LEAST = 1e-6  # probability, so that one label cannot cost an endless loss


@dataclass(frozen=True)
class Passing:
    """What would pass without a person: `passes` of `labels`; `errors` of them had a cause that is none of the functional
    ones, `other` of them another reason than the one named."""

    labels: int
    passes: int
    errors: int
    other: int

    def document(self) -> dict[str, object]:
        """With the upper limit of the errors' share."""
        return {
            "labels": self.labels,
            "passes": self.passes,
            "errors": self.errors,
            "other_reason": self.other,
            "errors_at_most": round(upper_bound(self.errors, self.passes), 4),
        }


def evaluate(
    probabilities: np.ndarray, labels: np.ndarray, reasons: Sequence[str], functional: np.ndarray, threshold: float
) -> dict[str, object]:
    """`probabilities`: rows x reasons; `labels`: numbers of reasons; `functional`: whether each reason is."""
    best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = best == labels
    likelihood = probabilities[np.arange(len(labels)), labels]
    return {
        "labels": len(labels),
        "accuracy": round(float(right.mean()), 4),
        "log_loss": round(float(-np.log(np.maximum(likelihood, LEAST)).mean()), 4),
        "calibration_error": round(calibration_error(confidence, right), 4),
        "reliability": reliability(confidence, right),
        "reasons": {reason: _of_reason(number, best, labels) for number, reason in enumerate(reasons)},
        "confusion": _confusion(best, labels, len(reasons)),
        "gate": passing(functional[best] & (confidence > threshold), best, labels, functional).document(),
        "curve": _curve(probabilities, labels, reasons, functional, threshold),
    }


def _confusion(best: np.ndarray, labels: np.ndarray, reasons: int) -> list[list[int]]:
    """How many labels there are of each reason (rows), by the reason named (columns)."""
    return np.bincount(labels * reasons + best, minlength=reasons**2).reshape(reasons, reasons).tolist()


def _curve(
    probabilities: np.ndarray, labels: np.ndarray, reasons: Sequence[str], functional: np.ndarray, threshold: float
) -> dict[str, object]:
    """The two risk-coverage curves: by the confidence of the best reason, and by the share of all functional reasons. What is
    not functional or not named never passes."""
    best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    passable = functional[best] & (confidence >= float(FLOOR))
    scores = {"confidence": confidence, "functional_share": probabilities[:, functional].sum(axis=1)}
    return {
        "reasons": [reason for reason, it in zip(reasons, functional, strict=True) if it],
        **{
            name: risk_coverage(np.where(passable, score, -1.0), best, labels, functional, threshold)
            for name, score in scores.items()
        },
    }


def reliability(confidence: np.ndarray, right: np.ndarray) -> list[list[float]]:
    """Ten groups of equally many labels by confidence: the mean confidence, the share that was right, and how many."""
    order = np.argsort(confidence, kind="stable")
    groups = [part for part in np.array_split(order, GROUPS) if len(part)]
    return [[round(float(confidence[it].mean()), 4), round(float(right[it].mean()), 4), len(it)] for it in groups]


def passing(passes: np.ndarray, said: np.ndarray, labels: np.ndarray, functional: np.ndarray) -> Passing:
    """What a gate lets through, and how often it is wrong."""
    return Passing(
        len(labels),
        int(passes.sum()),
        int((passes & ~functional[labels]).sum()),
        int((passes & (said != labels)).sum()),
    )


def _of_reason(number: int, best: np.ndarray, labels: np.ndarray) -> Mapping[str, object]:
    named, there = best == number, labels == number
    hits = int((named & there).sum())
    return {
        "labels": int(there.sum()),
        "precision": share(hits, int(named.sum())),
        "recall": share(hits, int(there.sum())),
    }


def share(hits: int, sample: int) -> list[float] | None:
    """A share with the limits of its 95 % interval; None without a sample."""
    if not sample:
        return None
    low, high = lower_bound(hits, sample, EACH_SIDE), upper_bound(hits, sample, EACH_SIDE)
    return [round(hits / sample, 4), round(low, 4), round(high, 4)]
