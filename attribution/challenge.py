"""A challenger and the champion on the same later labels: who passes more, who is surer of what is true, who misses which reason.

Pure. The challenger is asked as a model that knows the earlier labels alone. The champion is asked about labels that it has not
learned from, as far as there are enough of them; else about all, and it is said of how many it knows the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attribution.learned import Model
from attribution.scores import tell
from attribution.statistics.bootstrap import lower_limit
from attribution.statistics.bounds import lower_bound, upper_bound

ENOUGH = 30  # later labels that the champion has not learned from
EACH_SIDE = 0.025
LEAST = 1e-6  # probability, so that one label cannot cost an endless loss


@dataclass(frozen=True)
class Champion:
    """Who speaks now. `seen`: the differences whose labels it could learn from; `threshold`: the score from which its certificate
    lets a record pass, where the gate has a budget and it holds one."""

    version: int
    model: Model
    seen: frozenset[int]
    threshold: float | None = None


@dataclass(frozen=True)
class Said:
    """What a model says of labels: the chance that it gave the true reason, whether that was its best, what it lets pass."""

    likelihood: np.ndarray
    right: np.ndarray
    passes: np.ndarray


def challenge(
    challenger: Model,
    champion: Champion,
    later: pd.DataFrame,
    reasons: Mapping[str, bool | None],
    *,
    confidence: float,
    budgeted: bool,
    threshold: float | None,
) -> dict[str, Any]:
    """The comparison as JSON takes it. `later`: labels (`id`, `record`, `reason`) with what the models look at; `reasons`: those that
    a run may name, and whether each is functional; `threshold`: of the challenger's certificate."""
    learned = later["id"].isin(champion.seen).to_numpy()
    if (~learned).sum() >= ENOUGH:
        later, learned = later[~learned], learned[~learned]
    ours, theirs = (
        _said(model, later, reasons, confidence, own if budgeted else None, budgeted=budgeted)
        for model, own in ((challenger, threshold), (champion.model, champion.threshold))
    )
    return {
        "champion": champion.version,
        "learned": int(learned.sum()),
        **compare(ours, theirs, later["reason"].to_numpy(), later["record"].to_numpy()),
    }


def _said(
    model: Model,
    rows: pd.DataFrame,
    reasons: Mapping[str, bool | None],
    confidence: float,
    threshold: float | None,
    *,
    budgeted: bool,
) -> Said:
    rows = rows.assign(**{name: "" for name in model.columns.codes if name not in rows})  # a field that is gone
    chances, names = model.probabilities(rows), np.array(model.reasons, dtype=object)
    told, familiar = tell(chances, model.reasons, reasons), model.unfamiliar(rows) == ""
    scores, truth = told.scores(familiar), rows["reason"].to_numpy()
    surely = scores if budgeted else np.where(scores > 0, told.confidence[:, 0], 0.0)
    place = pd.Index(names).get_indexer(truth)
    return Said(
        likelihood=np.where(place >= 0, chances[np.arange(len(rows)), place], 0.0),
        right=names[told.order[:, 0]] == truth,
        passes=(surely >= threshold if threshold is not None else surely > (np.inf if budgeted else confidence)),
    )


def compare(ours: Said, theirs: Said, truth: np.ndarray, records: np.ndarray) -> dict[str, Any]:
    """The numbers of both on the same labels. A record passes where each of its labels does."""
    losses = [-np.log(np.maximum(it.likelihood, LEAST)) for it in (ours, theirs)]
    _, places = np.unique(records, return_inverse=True)
    held = [np.bincount(places, weights=~it.passes) == 0 for it in (ours, theirs)]
    return {
        "labels": len(truth),
        "records": len(held[0]),
        "passes": [int(it.sum()) for it in held],
        "log_loss": [round(float(it.mean()), 4) for it in losses],
        "gain_at_least": round(lower_limit(losses[1] - losses[0], records), 4),
        "recalls": {str(it): _recalls(ours.right, theirs.right, truth == it) for it in sorted(set(truth))},
    }


def _recalls(ours: np.ndarray, theirs: np.ndarray, there: np.ndarray) -> list[float]:
    """Labels of a reason, how many each named, and by how much the challenger's share is surely less (exact limits, 95 %)."""
    count = int(there.sum())
    lost, won = int((theirs & ~ours & there).sum()), int((ours & ~theirs & there).sum())
    less = lower_bound(lost, count, EACH_SIDE) - upper_bound(won, count, EACH_SIDE)
    return [count, int((ours & there).sum()), int((theirs & there).sum()), round(max(0.0, less), 4)]


MOST_LOST = 0.05  # of a reason's recall


def worse(recalls: Mapping[str, Sequence[float]]) -> list[str]:
    """The reasons that the challenger surely finds less often, by more than five points."""
    return [reason for reason, (*_, less) in recalls.items() if less > MOST_LOST]
