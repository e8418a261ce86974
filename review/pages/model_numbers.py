"""What a model's page shows of its numbers on later labels: calibration, thresholds, reasons, confusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attribution.models import ModelVersion
from review.charts import Reliability, Risk, RiskCoverage, reliability_chart, risk_chart

SHARES = (0.05, 0.2, 0.5)  # of a reason's labels: where a cell of the confusion table grows darker
EACH_SIDE = 0.025  # of a 95 % interval


@dataclass(frozen=True)
class Share:
    """A share in percent with the limits of its interval."""

    found: float
    low: float
    high: float


def share_of(given: Sequence[float] | None) -> Share | None:
    """From a share with its limits; None without one."""
    return Share(*(value * 100 for value in given)) if given else None


@dataclass(frozen=True)
class Group:
    """Labels of like confidence: the mean, how many were right, and how many there are."""

    confidence: float
    right: Share
    labels: int


def calibration(told: Mapping[str, Any]) -> tuple[Reliability, list[Group]]:
    """The reliability diagram and its table."""
    from attribution.statistics.bounds import lower_bound, upper_bound  # only this page waits for its library

    groups = []
    for mean, right, labels in told.get("reliability", []):
        hits = round(right * labels)
        limits = lower_bound(hits, labels, EACH_SIDE), upper_bound(hits, labels, EACH_SIDE)
        groups.append((mean, right, *limits, labels))
    table = [Group(mean * 100, Share(right * 100, low * 100, high * 100), n) for mean, right, low, high, n in groups]
    return reliability_chart(groups), table


@dataclass(frozen=True)
class Working:
    """What passes at a threshold: of `labels`, `passes`, of which `errors` had no functional cause, at most `most` of them (95 %),
    and `other` another reason than the one named; `by_reason`: how many pass under each."""

    threshold: float
    labels: int
    passes: int
    errors: int
    other: int
    most: float
    by_reason: Mapping[str, int]

    @property
    def other_functional(self) -> int:
        """Those whose cause was functional all the same, though another one."""
        return self.other - self.errors

    @property
    def coverage(self) -> float:
        """The share that passes."""
        return self.passes / self.labels if self.labels else 0.0

    @property
    def risk(self) -> Risk | None:
        """As the chart takes it; None where nothing passes."""
        return (self.coverage, self.errors / self.passes, self.most) if self.passes else None


@dataclass(frozen=True)
class Moved:
    """A reason whose passes change with the threshold."""

    reason: str
    functional: bool | None
    now: int
    then: int

    @property
    def change(self) -> int:
        """How many more pass."""
        return self.then - self.now


@dataclass(frozen=True)
class WhatIf:
    """The threshold in force and another one, on the same later labels."""

    by_share: bool
    now: Working
    then: Working
    moved: tuple[Moved, ...]
    chart: RiskCoverage
    table: tuple[Working, ...]

    @property
    def least(self) -> float:
        """The laxest threshold that was measured."""
        return self.table[0].threshold

    @property
    def most(self) -> float:
        """The strictest threshold that was measured."""
        return self.table[-1].threshold


def what_if(
    model: ModelVersion, asked: float | None, in_force: float, functional: Mapping[str, bool | None], *, by_share: bool
) -> WhatIf | None:
    """What another threshold would change; None for a model of earlier versions, which kept no curve. A threshold that was not
    measured counts as the next stricter one. `by_share`: whether the gate looks at the share of all functional reasons."""
    curve = model.metrics.get("curve")
    if not curve:
        return None
    name = "functional_share" if by_share else "confidence"
    table = tuple(_working(it, model.metrics["labels"], curve["reasons"]) for it in curve[name])
    now = _at(table, in_force)
    then = now if asked is None else _at(table, asked)
    points = [it.risk for it in reversed(table) if it.risk]
    return WhatIf(by_share, now, then, _moved(now, then, functional), risk_chart(points, now.risk, then.risk), table)


def _working(point: Sequence[Any], labels: int, reasons: Sequence[str]) -> Working:
    from attribution.statistics.bounds import upper_bound

    threshold, passes, errors, other, each = point
    most = upper_bound(errors, passes)
    return Working(threshold, labels, passes, errors, other, most, dict(zip(reasons, each, strict=True)))


def _at(table: Sequence[Working], threshold: float) -> Working:
    return next((it for it in table if it.threshold >= threshold - 1e-9), table[-1])


def _moved(now: Working, then: Working, functional: Mapping[str, bool | None]) -> tuple[Moved, ...]:
    moved = [
        Moved(reason, functional.get(reason), count, then.by_reason[reason]) for reason, count in now.by_reason.items()
    ]
    return tuple(sorted((it for it in moved if it.change), key=lambda it: (-abs(it.change), it.reason)))


@dataclass(frozen=True)
class Cell:
    """How many labels of a reason were named another one; `level` 0 to 4 of darkness; `is_right` on the diagonal."""

    count: int
    level: int
    is_right: bool


@dataclass(frozen=True)
class ConfusionLine:
    """A true reason with its number, and how often each one was named."""

    number: int
    reason: str
    labels: int
    cells: tuple[Cell, ...]


def confusion(told: Mapping[str, Any]) -> list[ConfusionLine]:
    """The true reasons that later labels have or the model named, in rows; the named ones in columns by number."""
    matrix = told.get("confusion")
    if not matrix:
        return []
    names, columns = list(told["reasons"]), list(zip(*matrix, strict=True))
    seen = [at for at, row in enumerate(matrix) if sum(row) or sum(columns[at])]
    return [
        ConfusionLine(
            number,
            names[at],
            sum(matrix[at]),
            tuple(Cell(matrix[at][to], _level(matrix[at][to], sum(matrix[at])), at == to) for to in seen),
        )
        for number, at in enumerate(seen, 1)
    ]


def _level(count: int, total: int) -> int:
    return 1 + sum(count / total >= it for it in SHARES) if count else 0
