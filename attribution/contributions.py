"""What weighed in a model's word on a difference: how much each feature adds to its reason, exactly. Pure.

Shapley values of the trees (S. Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
2020). They and the start add up to the margin; margins less the runner-up's, over the temperature, are the logarithm of the odds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from attribution.learned import Model

TOP = 8  # features shown; the others are summed up
START = "what the provers and habits say"
ALIKE = "what holds for every difference"
RECORD = "record's "
TITLES = {"claim": "what the provers lean to", "kind": "kind of value", "field": "field"}
YES_NO = frozenset(
    {
        "A is empty", "B is empty", "B is larger", "sign is turned", "gap is whole", "gap is divisible by nine",
        "day and month swapped", "same day of the month", "same letters in another order", "B begins A", "A begins B",
        "A has foreign letters", "B has foreign letters", "B is digits", "A is digits", "B is capitals",
    }
)  # fmt: skip
ROUNDED = ("B is A rounded to", "B is A cut to")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Weight:
    """What one feature adds to the named reason's margin (`toward`), and to it less the runner-up's (`rather`)."""

    feature: str
    value: str
    toward: float
    rather: float


@dataclass(frozen=True)
class Weighed:
    """The weights of one difference, the heaviest first; `start`, `alike` and `others` (features that are not shown) are weights
    too. All together they are the margin."""

    reason: str
    runner_up: str
    weights: tuple[Weight, ...]
    others: Weight
    alike: Weight
    start: Weight
    margin: float
    ahead: float
    confidence: float

    def lines(self) -> Iterator[Weight]:
        """Every weight."""
        yield from (self.start, self.alike, *self.weights, self.others)


def weigh(model: "Model", rows: pd.DataFrame, named: Sequence[Sequence[str]]) -> list[Weighed]:
    """Of each row the weights for the first of its `named` reasons, beside the second; reasons are the model's own."""
    features, start = model.seen(rows)
    found = model.contributions(features, start)
    chances = model.probabilities(rows)
    made = []
    for place, (reason, runner_up) in enumerate(named):
        first, second = model.reasons.index(reason), model.reasons.index(runner_up)
        toward, rather = found[place, first], found[place, first] - found[place, second]
        texts = _values(model, rows.iloc[place], features.iloc[place])
        begun = start[place, first], start[place, first] - start[place, second]
        made.append(_weighed((reason, runner_up), toward, rather, texts, begun, float(chances[place, first])))
    return made


def _weighed(
    named: tuple[str, str],
    toward: np.ndarray,
    rather: np.ndarray,
    texts: Sequence[tuple[str, str]],
    begun: tuple[float, float],
    confidence: float,
) -> Weighed:
    order = np.argsort(-np.maximum(np.abs(toward[:-1]), np.abs(rather[:-1])), kind="stable")
    top, rest = order[:TOP], order[TOP:]
    weights = tuple(Weight(*texts[at], float(toward[at]), float(rather[at])) for at in map(int, top))
    return Weighed(
        *named,
        weights=weights,
        others=Weight(f"{len(rest):,} other features", "", float(toward[rest].sum()), float(rather[rest].sum())),
        alike=Weight(ALIKE, "", float(toward[-1] - begun[0]), float(rather[-1] - begun[1])),
        start=Weight(START, "", float(begun[0]), float(begun[1])),
        margin=float(toward.sum()),
        ahead=float(rather.sum()),
        confidence=confidence,
    )


def _values(model: "Model", row: pd.Series, features: pd.Series) -> list[tuple[str, str]]:
    """Each feature's title and value, as people read them."""
    return [
        (_title(name), _text(name, row[name] if name in model.columns.codes else value))
        for name, value in features.items()
    ]


def _title(name: str) -> str:
    return TITLES.get(name, name.removeprefix(RECORD).replace(f"this {RECORD}", "this "))


def _text(name: str, value: str | float) -> str:
    if isinstance(value, str):
        return value or "none"
    if not np.isfinite(value):
        return "no answer"
    if name in ROUNDED:
        return f"{value:.0f} places" if value >= 0 else "never"
    if name == "weekday of A":
        return WEEKDAYS[int(value)]
    if name in YES_NO:
        return "yes" if value else "no"
    if name.startswith("share of "):
        return f"{value * 100:.1f} %"
    return f"{float(f'{value:.4g}'):,.6g}" if abs(value) < 1e6 else f"{value:.3g}"
