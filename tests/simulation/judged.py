"""A model on trial: its scores of records, as the gate has them, beside what an all-knowing judge would say."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
import pandas as pd

from attribution.held_out import HeldOut, Proven, prove
from attribution.learned import Columns, Model, train
from attribution.scores import Told, tell
from tests.simulation.claims import claimed
from tests.simulation.world import FUNCTIONAL, REASONS, Sample

HABITS = ("field", "source", "product", "trader", "counterparty")
COLUMNS = Columns(("field", "kind", "claim", *HABITS[1:]), HABITS)
NAMED = {reason: reason in FUNCTIONAL for reason in REASONS}
IS_FUNCTIONAL = np.array([reason in FUNCTIONAL for reason in REASONS])
FLOOR = 0.5
# Of a bound: how many times its errors the model expects where the zone ends, and the least share of all records in it. What labels
# can prove of a strict one ends earlier, except where a noisy hand taught the model to doubt.
ZONES = {0.01: (0.6, 1 / 6)}
ZONE = (1.0, 0.0)


@dataclass(frozen=True)
class Judged:
    """A sample and what a model says of it. Of records, in order: `scores` (the gate's), `truth` (the exact probability that
    every cause is functional)."""

    sample: Sample
    chances: np.ndarray
    familiar: np.ndarray

    @property
    def told(self) -> Told:
        """As serving tells it."""
        return tell(self.chances, REASONS, NAMED)

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each record begins."""
        return np.flatnonzero(np.diff(self.sample.rows["record"].to_numpy(), prepend=-1))

    @cached_property
    def sizes(self) -> np.ndarray:
        """How many differences each record has."""
        return np.diff(np.append(self.starts, len(self.sample.cause)))

    @cached_property
    def scores(self) -> np.ndarray:
        """The least of each record's differences."""
        return np.minimum.reduceat(self.told.scores(self.familiar), self.starts)

    @cached_property
    def truth(self) -> np.ndarray:
        """Causes within a record are drawn apart, so their probabilities multiply."""
        return np.multiply.reduceat(self.sample.functional, self.starts)

    def held(self, labels: np.ndarray) -> pd.DataFrame:
        """Its differences as held-out ones, labelled so."""
        return pd.DataFrame(
            {
                "record": np.repeat(np.arange(len(self.starts)), self.sizes),
                "score": self.told.scores(self.familiar),
                "is_wrong": ~IS_FUNCTIONAL[labels],
                "reason": self.named,
                "day": self.sample.rows["day"].to_numpy(),
                "amount": "0",
                "currency": "",
            }
        )

    @property
    def named(self) -> np.ndarray:
        """The best reason of each difference."""
        return np.array(REASONS, dtype=object)[self.told.order[:, 0]]

    def passing(self, found: Proven | None) -> tuple[float, float]:
        """The share of records that pass by a certificate, of the reasons it speaks for, and the exact share of errors in them."""
        if found is None:
            return 0.0, 0.0
        passes = np.logical_and.reduceat(covered(self.told.scores(self.familiar), self.named, found), self.starts)
        return float(passes.mean()), float(1 - self.truth[passes].mean()) if passes.any() else 0.0

    def oracle(self, bound: float) -> float:
        """The share of records that an all-knowing judge would let pass."""
        errors = (1 - np.sort(self.truth)[::-1]).cumsum() / np.arange(1, len(self.truth) + 1)
        return float((errors <= bound).mean())


def covered(scores: np.ndarray, named: np.ndarray, found: Proven) -> np.ndarray:
    """Whether each difference's score is one that a certificate lets pass for the reason that is named."""
    starts = np.array([found.reasons.get(reason, np.inf) for reason in named])
    return (scores >= found.found.threshold) & (scores >= starts)


def learned(sample: Sample, unnamed: Sample | None = None, labels: np.ndarray | None = None) -> Model:
    """A model of a sample's labels, its causes if none are given, and of differences that nobody gave a reason."""
    more = None if unnamed is None else claimed(unnamed.rows)
    return train(claimed(sample.rows), sample.cause if labels is None else labels, REASONS, COLUMNS, unnamed=more)


def judged(model: Model, sample: Sample, *, gated: bool = True) -> Judged:
    """What a model says of a sample; `gated`: unfamiliar differences are held back."""
    rows = claimed(sample.rows)
    familiar = model.unfamiliar(rows) == "" if gated else np.ones(len(rows), dtype=bool)
    return Judged(sample, model.probabilities(rows), familiar)


def aimed(scores: np.ndarray, bound: float) -> float:
    """The score from which the model itself expects as many errors as a bound allows (`ZONES`), beyond those that it expects of its
    best tenth (what labels of a noisy hand leave it): what lies below is not worth a label where this bound is to be certified."""
    times, least = ZONES.get(bound, ZONE)
    ranked = np.sort(scores[scores >= FLOOR])[::-1]
    expected = (1 - ranked).cumsum() / np.arange(1, len(ranked) + 1)
    within = np.flatnonzero(expected <= times * bound + expected[len(ranked) // 10])
    last = max(within[-1] if len(within) else len(ranked), int(least * len(scores)))
    return float(ranked[last]) if last < len(ranked) else FLOOR


def proven(pool: Judged, labels: int, bound: float, noise: float = 0.0, seed: int = 0) -> Proven | None:
    """What the first records of a pool that could pass for a bound certify, as many as have `labels` differences.

    Reviewers name another reason with probability `noise`; a label that calls an error what could pass is looked at by a second one,
    whose word counts."""
    floor = aimed(pool.scores, bound)
    could = np.flatnonzero(pool.scores >= floor)
    taken = could[np.cumsum(pool.sizes[could]) <= labels]
    rng = np.random.default_rng([seed, 17])
    first, second = (slipped(pool.sample.cause, noise, rng) for _ in range(2))
    said = np.where(IS_FUNCTIONAL[first], first, second)
    held = pool.held(said)
    return next(iter(prove(HeldOut(held[held["record"].isin(taken)]), [Decimal(str(bound))], floor)), None)


def slipped(cause: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Labels of reviewers who name another reason with probability `noise`."""
    others = (cause + rng.integers(1, len(REASONS), len(cause))) % len(REASONS)
    return np.where(rng.random(len(cause)) < noise, others, cause)
