"""Held-out labels as records: what the gate would have said of them, and what people said. Pure.

A certificate speaks of records, since records are what passes: a record's score is the least of its differences, and it is
wrong where any of its differences had a cause that is not functional. Records of which some difference has no label are left out.

Where some records passed without a person, the labels that are there are no fair sample of all: what passed was looked at only in
audits, and what was held in an order that people chose. Then only the records count that chance drew, each kept with the chance
that makes all of them equally likely (rejection sampling; J. von Neumann, 1951).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pandas as pd

from attribution.statistics.bounds import lower_bound
from attribution.statistics.certificate import Certified, certify, threshold_grid

DELTA = 0.05
FROM_LABELS = 300  # with fewer, not even the laxest bound can be certified from a part of them
AUDIT = "audit"
SHARE = 0.4  # of the labels, the latest, are held out of a budgeted gate's model


@dataclass(frozen=True)
class HeldOut:
    """Differences, a row each, in the order of time: `record` (its number), `score` (of the gate), `is_wrong`, `reason` (named),
    `day`, `amount` and `currency` (texts of the record)."""

    rows: pd.DataFrame

    @property
    def records(self) -> pd.DataFrame:
        """A row a record: `score`, `is_wrong`, `day`, `amount`, `currency`."""
        grouped = self.rows.groupby("record", sort=False)
        return grouped.agg(
            score=("score", "min"),
            is_wrong=("is_wrong", "max"),
            day=("day", "first"),
            amount=("amount", "first"),
            currency=("currency", "first"),
        )


@dataclass(frozen=True)
class Proven:
    """A certificate before it is written. `money`: by currency [passing, wrong]."""

    bound: Decimal
    found: Certified
    held_out: int
    days: tuple[Any, Any]
    sample_sha256: str
    money: dict[str, list[str]]
    reasons: dict[str, float]  # from which score on the differences of each reason pass


def cut_at(records: Sequence[int], share: float) -> int:
    """How many of the rows come before the latest `share`, never between the differences of one record."""
    cut = len(records) - int(len(records) * share)
    while 0 < cut < len(records) and records[cut] == records[cut - 1]:
        cut += 1
    return cut


def sample_of(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose records are a fair sample: with `is_whole`, `record`, `drawn` (audit, calibration or neither) and `probability`."""
    whole = rows[rows["is_whole"].astype(bool)]
    if not is_drawn(whole):
        return whole
    drawn = whole[whole["probability"].notna()]
    kept = drawn["probability"].min() / drawn["probability"]
    return drawn[[_chance(record) < share for record, share in zip(drawn["record"], kept, strict=True)]]


def is_drawn(rows: pd.DataFrame) -> bool:
    """Whether records passed among them, so that only what chance drew speaks for all."""
    return bool((rows["drawn"] == AUDIT).any())


def _chance(record: int) -> float:
    """A number in [0, 1) that belongs to a record."""
    return int.from_bytes(hashlib.sha256(f"kept:{record}".encode()).digest()[:6], "big") / 2**48


def prove(held: HeldOut, bounds: Sequence[Decimal], floor: float) -> list[Proven]:
    """What the held-out records certify: the bounds that hold, each with its threshold, none below `floor`."""
    records = held.records
    if not len(records):
        return []
    scores, wrong = records["score"].to_numpy(), records["is_wrong"].to_numpy(dtype=bool)
    grid = threshold_grid(scores, floor)
    found = [(bound, certify(scores, wrong, grid, bound=float(bound), delta=DELTA)) for bound in bounds]
    return [_proven(held, records, bound, it) for bound, it in found if it is not None]


def _proven(held: HeldOut, records: pd.DataFrame, bound: Decimal, found: Certified) -> Proven:
    passing = records[records["score"] >= found.threshold]
    ids = ",".join(map(str, records.index))
    return Proven(
        bound=bound,
        found=found,
        held_out=len(records),
        days=(records["day"].min(), records["day"].max()),
        sample_sha256=hashlib.sha256(ids.encode()).hexdigest(),
        money=_money(passing),
        reasons=_reasons(held.rows[held.rows["record"].isin(passing.index)], found.threshold, float(bound)),
    )


def _money(passing: pd.DataFrame) -> dict[str, list[str]]:
    sums: dict[str, list[Decimal]] = {}
    for amount, currency, is_wrong in zip(passing["amount"], passing["currency"], passing["is_wrong"], strict=True):
        value = _size(amount)
        own = sums.setdefault(str(currency or ""), [Decimal(0), Decimal(0)])
        own[0] += value
        own[1] += value if is_wrong else 0
    return {currency: [f"{it:f}" for it in own] for currency, own in sorted(sums.items()) if own[0]}


def _size(amount: str | None) -> Decimal:
    try:
        size = abs(Decimal(amount or 0))
    except InvalidOperation:
        return Decimal(0)
    return size if size.is_finite() else Decimal(0)


def _reasons(passing: pd.DataFrame, threshold: float, bound: float) -> dict[str, float]:
    """The reasons that were named there, each from the laxest score on from which it is not wrong beyond doubt more often than the bound."""
    found = {str(reason): _from_score(of, bound) for reason, of in passing.groupby("reason")}
    least = passing.groupby("reason")["score"].min()
    return {
        reason: threshold if score <= least[reason] else score for reason, score in found.items() if score is not None
    }


def _from_score(of: pd.DataFrame, bound: float) -> float | None:
    """Of one reason's differences the least score from which on they are not wrong beyond doubt more often than the bound."""
    by_score = of.groupby("score")["is_wrong"].agg(["sum", "size"])[::-1].cumsum()[::-1]
    holds = np.array([lower_bound(int(wrong), int(size), DELTA) <= bound for wrong, size in by_score.to_numpy()])
    return float(by_score.index[holds.argmax()]) if holds.any() else None
