"""What a training makes of a training table: the model's bytes, its numbers on labels that it had not seen, and what these certify."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from attribution.artifact import to_bytes
from attribution.challenge import Champion, challenge
from attribution.difference_rows import CODES, OF_RECORD
from attribution.evaluation import evaluate, passing
from attribution.evidence_lines import evidence_lines
from attribution.held_out import FROM_LABELS, SHARE, HeldOut, Proven, cut_at, is_drawn, prove, sample_of
from attribution.learned import LATER, Columns, Model, train
from attribution.mixes import Mixes, mixes_of
from attribution.rungs import LADDER
from attribution.scores import tell
from attribution.training_table import TrainingTable
from reconciliation.rules import Rules

SEED = 0


@dataclass(frozen=True)
class Trained:
    """What a training made: the artifact's bytes, its numbers and what it can prove."""

    artifact: bytes
    metrics: dict[str, Any]
    labels: dict[str, int]
    habits: tuple[str, ...]
    days: tuple[Any, Any]
    proven: list[Proven]
    reference: Mixes


def learn(table: TrainingTable, rules: Rules, champion: Champion | None = None) -> Trained:
    """Train on every label; of a budgeted gate on the earlier ones, so that the later ones can certify what it says. The champion
    is asked about the same later labels."""
    rows, reasons = table.rows, sorted(set(table.rows["reason"]))
    labels = np.array([reasons.index(reason) for reason in rows["reason"]])
    habits = tuple(OF_RECORD + name for name in table.habits)
    columns = Columns((*CODES, *habits), ("field", *habits))
    certifies = bool(rules.gate.budget) and len(rows) >= FROM_LABELS
    cut = cut_at(rows["record"].to_numpy(), SHARE if certifies else LATER)
    early = train(rows[:cut], labels[:cut], reasons, columns, unnamed=table.unnamed, seed=SEED)
    kept, seen = early, rows[:cut]
    if not certifies:
        kept, seen = train(rows, labels, reasons, columns, unnamed=table.unnamed, seed=SEED), rows
    held = _held_out(early, _later(table, cut), rules) if certifies else None
    proven = prove(held, LADDER, float(rules.gate.confidence)) if held else []
    more: dict[str, Any] = {"challenge": _challenged(early, champion, rows[cut:], rules, proven)} if champion else {}
    if held:
        more["sample"] = {"records": len(held.records), "is_drawn": is_drawn(held.rows)}
    return Trained(
        artifact=to_bytes(kept, evidence_lines(seen, columns.habits)),
        metrics=_measured(early, rows[cut:], labels[cut:], rules) | more,
        labels=dict(sorted(Counter(rows["reason"]).items())),
        habits=table.habits,
        days=(rows["day"].min().date(), rows["day"].max().date()),
        proven=proven,
        reference=_mixes(early, rows[cut:], habits),
    )


def _later(table: TrainingTable, cut: int) -> pd.DataFrame:
    """The later labels, those that wait for a second opinion among them: they call an error what would pass."""
    later = table.rows[cut:]
    if not len(later) or not len(table.waiting):
        return later
    waiting = table.waiting[table.waiting["place"] >= later["place"].iloc[0]]
    return pd.concat([later, waiting]).sort_values("place", ignore_index=True)


def _mixes(model: Model, later: pd.DataFrame, habits: tuple[str, ...]) -> Mixes:
    """What later runs are held against."""
    if not len(later):
        return {}
    chances = model.probabilities(later)
    named = np.array(model.reasons, dtype=object)[chances.argmax(axis=1)]
    return mixes_of(later, named, chances.max(axis=1), habits)


def _known(rules: Rules) -> Mapping[str, bool | None]:
    return rules.document.get("reasons") or {}  # type: ignore[return-value]


def _held_out(model: Model, later: pd.DataFrame, rules: Rules) -> HeldOut:
    """The later labels that speak for all records, with what a model says that has not seen them."""
    known = _known(rules)
    told = tell(model.probabilities(later), model.reasons, known)
    rows = later.assign(
        score=told.scores(model.unfamiliar(later) == ""),
        is_wrong=[not known.get(reason) for reason in later["reason"]],
        reason=np.array(model.reasons, dtype=object)[told.order[:, 0]],
    )
    return HeldOut(sample_of(rows))


def _challenged(
    model: Model, champion: Champion, later: pd.DataFrame, rules: Rules, proven: list[Proven]
) -> dict[str, Any]:
    """The model beside the champion, each by its own certificate where the gate has a budget."""
    budget = Decimal(rules.gate.budget or 0)
    kept = max((it for it in proven if it.bound <= budget), key=lambda it: it.bound, default=None)
    return challenge(
        model,
        champion,
        later,
        _known(rules),
        confidence=float(rules.gate.confidence),
        budgeted=bool(rules.gate.budget),
        threshold=kept.found.threshold if kept else None,
    )


def _measured(model: Model, later: pd.DataFrame, labels: np.ndarray, rules: Rules) -> dict[str, Any]:
    """What a model that knows the earlier labels alone says of the later ones, beside what the provers say."""
    known, reasons = _known(rules), list(model.reasons)
    functional = np.array([bool(known.get(reason)) for reason in reasons])
    threshold = float(rules.gate.confidence)
    claims = np.array([reasons.index(claim) if claim in reasons else -1 for claim in later["claim"]])
    passed = (later["functional"].fillna(False).astype(bool) & (later["confidence"] > threshold)).to_numpy()
    return {
        **evaluate(model.probabilities(later), labels, reasons, functional, threshold),
        "provers": {
            "accuracy": round(float((claims == labels).mean()), 4),
            "gate": passing(passed, claims, labels, functional).document(),
        },
        "threshold": threshold,
    }
