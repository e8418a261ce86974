"""A seeded world of differences with exact posteriors: who makes which kind of slip, and what it looks like.

A cause is drawn from a softmax over who and where (habits of counterparties, traders, sources, products; month ends), a look
from the cause, and the two values from the look alone. So what an all-knowing judge would believe of each difference is
p(cause | context) x p(look | cause), made to sum to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from tests.simulation.looks import KINDS, LOOKS, render

REASONS = (
    "ROUNDING_DIFF", "TIMING_LAG", "FX_VARIANCE", "SYSTEM_CONVERSION", "PRICE_FLUCTUATION", "ACCRUAL_DIFF", "NETTING",
    "FORMAT_VARIANT", "ENCODING_ERR", "SIGN_FLIP", "SCALE_ERR", "TRUNCATION_ERR", "MANUAL_ENTRY_ERR", "STALE_REFERENCE",
    "FEE_MISSING", "WRONG_TRADE",
)  # fmt: skip
FUNCTIONAL = frozenset(REASONS[:7])
FIELDS = {
    "amount": "number", "price": "number", "quantity": "number", "rate": "number", "fee": "number", "accrued": "number",
    "trade_date": "date", "settlement_date": "date", "value_date": "date",
    "counterparty": "text", "book": "text", "account": "text", "reference": "text", "currency": "text",
}  # fmt: skip
SIZES = {"counterparty": 60, "trader": 25, "source": 4, "product": 8}
COMMON = 1.6  # most differences are expected ones
HABITS = {"counterparty": 1.1, "trader": 0.6, "source": 0.7, "product": 0.6}  # how far a habit moves a logit

VARIES = {"habits": (0.6, 1.4), "ambiguity": (0.05, 0.4), "month_end": (0.0, 3.0), "own_ways": (0.0, 0.6)}


@dataclass(frozen=True)
class Sample:
    """Differences in the order of time. `rows`: what a model may see, a row a difference; `record` says which belong
    together. `cause` and `posterior` (rows x REASONS) are the truth."""

    rows: pd.DataFrame
    cause: np.ndarray
    posterior: np.ndarray

    @property
    def functional(self) -> np.ndarray:
        """The exact probability of each row that its cause is a functional one."""
        return np.asarray(self.posterior[:, [reason in FUNCTIONAL for reason in REASONS]].sum(axis=1))


class World:
    """Fixed habits. `habits`: how far they move; `ambiguity`, 0 to 1: how often a cause looks like another one's look; `own_ways`:
    how far a counterparty has habits of its own in one field; `more`: what is added to the logit of each reason named."""

    def __init__(
        self,
        seed: int,
        *,
        habits: float = 1.0,
        ambiguity: float = 0.2,
        month_end: float = 1.5,
        own_ways: float = 0.0,
        more: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        rng = np.random.default_rng(seed)
        self.month_end = month_end
        self.base = rng.normal(0, 0.7, len(REASONS)) + COMMON * np.isin(REASONS, list(FUNCTIONAL))
        self.habits = {name: rng.normal(0, HABITS[name] * habits, (size, len(REASONS))) for name, size in SIZES.items()}
        self.of_field = rng.normal(0, 0.8, (len(FIELDS), len(REASONS)))
        weights = 1 / np.arange(1, SIZES["counterparty"] + 1)
        self.popular = weights / weights.sum()
        self.looks = {kind: self._looks_of(rng, kind, ambiguity) for kind in KINDS}
        self.own_ways = rng.normal(0, own_ways, (SIZES["counterparty"], len(FIELDS), len(REASONS)))
        self.base += np.array([more.get(reason, 0.0) for reason in REASONS])

    @classmethod
    def varied(cls, seed: int, **also: Any) -> "World":
        """A world of other habits, ambiguity and month ends, with counterparties that have ways of their own in single fields."""
        rng = np.random.default_rng([seed, 11])
        drawn = {name: float(rng.uniform(low, high)) for name, (low, high) in VARIES.items()}
        return cls(seed, **(drawn | also))

    def _looks_of(self, rng: np.random.Generator, kind: str, ambiguity: float) -> np.ndarray:
        """p(look | cause) of a kind of field, causes x looks; a row of zeros: the cause is not possible there."""
        own = np.array([[look.own.get(reason, 0.0) for look in LOOKS[kind]] for reason in REASONS])
        other = np.array([[look.other.get(reason, 0.0) for look in LOOKS[kind]] for reason in REASONS])
        mixed = own * rng.uniform(0.7, 1.3, own.shape) + ambiguity * other * rng.uniform(0.5, 1.5, own.shape)
        total = mixed.sum(axis=1, keepdims=True)
        return np.divide(mixed, total, out=np.zeros_like(mixed), where=total > 0)

    def draw(self, count: int, seed: int) -> Sample:
        """`count` differences over 60 business days, one or two a record."""
        rng = np.random.default_rng([seed, 7])
        context = self._contexts(rng, count)
        prior = self._prior(context)
        cause = _choose(rng, prior)
        kinds = np.array(list(FIELDS.values()))[context["field"]]
        look, likelihood = np.zeros(count, dtype=int), np.zeros((count, len(REASONS)))
        for kind in KINDS:
            here = np.flatnonzero(kinds == kind)
            chances = self.looks[kind]
            look[here] = _choose(rng, chances[cause[here]])
            likelihood[here] = chances[:, look[here]].T
        posterior = prior * likelihood
        posterior /= posterior.sum(axis=1, keepdims=True)
        return Sample(_rows(rng, context, kinds, look), cause, posterior)

    def _contexts(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        record = np.cumsum(rng.random(count) < 1 / 1.5)
        first = np.searchsorted(record, np.arange(record[-1] + 1))[record]
        chosen = {name: rng.integers(0, size, count) for name, size in SIZES.items()}
        chosen["counterparty"] = rng.choice(SIZES["counterparty"], count, p=self.popular)
        shared = {name: values[first] for name, values in chosen.items()}
        day = (np.arange(count) * 60 // count)[first]
        return {**shared, "record": record, "day": day, "field": rng.integers(0, len(FIELDS), count)}

    def _prior(self, context: dict[str, np.ndarray]) -> np.ndarray:
        logits = self.base + self.of_field[context["field"]] + self.own_ways[context["counterparty"], context["field"]]
        for name in SIZES:
            logits = logits + self.habits[name][context[name]]
        ends = (context["day"] % 20 >= 18)[:, None]
        logits = logits + self.month_end * ends * np.isin(REASONS, ("ACCRUAL_DIFF", "TIMING_LAG"))
        kinds = np.array(list(FIELDS.values()))[context["field"]]
        for kind in KINDS:
            logits[np.ix_(kinds == kind, self.looks[kind].sum(axis=1) == 0)] = -np.inf
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _choose(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """One column a row, by the row's chances."""
    return np.asarray((rng.random((len(chances), 1)) < chances.cumsum(axis=1)).argmax(axis=1))


def _rows(
    rng: np.random.Generator, context: dict[str, np.ndarray], kinds: np.ndarray, look: np.ndarray
) -> pd.DataFrame:
    names = list(FIELDS)
    values = [render(rng, kind, LOOKS[kind][number].name) for kind, number in zip(kinds, look, strict=True)]
    a, b = zip(*values, strict=True)
    return pd.DataFrame(
        {
            "record": context["record"],
            "field": [names[number] for number in context["field"]],
            "kind": kinds,
            "value_a": a,
            "value_b": b,
            "counterparty": np.char.add("cp", context["counterparty"].astype(str)),
            "trader": np.char.add("t", context["trader"].astype(str)),
            "source": np.char.add("s", context["source"].astype(str)),
            "product": np.char.add("p", context["product"].astype(str)),
            "day": context["day"],
        }
    )
