"""How long a run will take yet: by what its steps took so far, else by what the last run of the reconciliation took."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.models import ClaimedWork
from review.pages.stages import TITLES, Step

State = ClaimedWork.State


@dataclass(frozen=True)
class Former:
    """An earlier run that ended well, with its report."""

    pk: int
    business_date: dt.date
    report: Mapping[str, Any]


def seconds_left(steps: Sequence[Step], former: Former | None, now: dt.datetime) -> float | None:
    """Seconds until the last step ends; None where nothing was measured yet."""
    whole = _as_before(former, sum(step.records for step in steps if step.name == "ingest"))
    left = [_left([step for step in steps if step.name == name], whole.get(name), now) for name in TITLES]
    known = [it for it in left if it is not None]
    return sum(known) if len(known) == len(left) else None


def _as_before(former: Former | None, rows: int) -> Mapping[str, float]:
    """Seconds that a stage would take at the pace of the former run."""
    if former is None:
        return {}
    before = sum(side["received"] for side in former.report["sides"].values())
    scale = rows / before if rows and before else 1.0
    return {name: seconds * scale for name, seconds in former.report["seconds"].items()}


def _left(steps: Sequence[Step], whole: float | None, now: dt.datetime) -> float | None:
    """Of one stage: `whole` is what all of it would take, where that is known."""
    open_ = [step.work for step in steps if step.work.state != State.DONE]
    if not open_:
        return 0.0 if steps else whole
    took = [step.work.seconds for step in steps if step.work.seconds is not None]
    if not took and whole is None:
        return None
    each = sum(took) / len(took) if took else (whole or 0.0) / len(steps)
    side_by_side = max(1, sum(work.state == State.RUNNING for work in open_))
    return sum(max(0.0, each - _elapsed(work, now)) for work in open_) / side_by_side


def _elapsed(work: ClaimedWork, now: dt.datetime) -> float:
    running = work.state == State.RUNNING and work.started_at is not None
    return (now - work.started_at).total_seconds() if running and work.started_at else 0.0


def told_left(seconds: float | None) -> str:
    """In words, rounded up so that they change every five seconds at most; empty where nothing is known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"about {max(5, 5 * -int(-seconds // 5))} s left"
    return f"about {-int(-seconds // 60)} min left"
