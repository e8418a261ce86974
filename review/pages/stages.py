"""A run's stages as its page shows them: ingest, diff, attribute, store."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from ingestion.models import ClaimedWork
from reconciliation.models import Run

State = ClaimedWork.State
PATIENCE = dt.timedelta(seconds=60)  # after which work that nobody takes, or whose worker is silent, is named
TITLES = {"ingest": "Ingest", "diff": "Diff", "attribute": "Attribute"}


@dataclass(frozen=True)
class Step:
    """One piece of work: a delivery to read, or a range of buckets."""

    name: str
    range: str
    work: ClaimedWork
    records: int

    @property
    def is_stalled(self) -> bool:
        """Whether its worker gave no sign of life for a minute."""
        lease = self.work.lease_until  # each beat moves it a whole lease ahead
        return (
            self.work.state == State.RUNNING
            and lease is not None
            and lease - settings.STEP_LEASE < timezone.now() - PATIENCE
        )


@dataclass(frozen=True)
class Stage:
    """How far one stage is; `percent` of its steps are done."""

    title: str
    percent: int
    state: str
    told: str
    pace: str = ""

    @property
    def done(self) -> bool:
        """Whether nothing of it is left."""
        return self.state == "done"

    @property
    def running(self) -> bool:
        """Whether someone is at it."""
        return self.state == "running"

    @property
    def glyph(self) -> str:
        """The glyph that says its state beside the words."""
        return {"done": "check", "running": "play", "failed": "x"}.get(self.state, "clock")

    @property
    def tone(self) -> str:
        """The colour of the glyph."""
        return {"done": "ok", "failed": "bad"}.get(self.state, "")


def forsaken(run: Run, steps: list[Step]) -> Step | None:
    """The step that no worker takes although its turn has come; None while work goes on."""
    states = [step.work.state for step in steps]
    if run.state != Run.State.RUNNING or State.READY not in states or State.RUNNING in states:
        return None
    moments = [run.started_at, *(step.work.finished_at for step in steps)]
    last = max((moment for moment in moments if moment is not None), default=run.created_at)
    return steps[states.index(State.READY)] if timezone.now() - last > PATIENCE else None


def stages(run: Run, steps: list[Step]) -> list[Stage]:
    """The four stages in their order; the store is filled within the steps of diff and attribute."""
    seconds = (run.report or {}).get("seconds", {})
    found = [
        _stage(title, [step for step in steps if step.name == name], seconds.get(name))
        for name, title in TITLES.items()
    ]
    return [*found, _store(run, found, seconds.get("store"))]


def _stage(title: str, steps: list[Step], seconds: float | None) -> Stage:
    states = [step.work.state for step in steps]
    done = states.count(State.DONE)
    if not steps:
        return Stage(title, 0, "waiting", "Waiting")
    rows = sum(step.records for step in steps if step.work.state == State.DONE)
    told = f"{rows:,} records" if done == len(steps) else f"{done} of {len(steps)} step{'' if len(steps) == 1 else 's'}"
    took = seconds if seconds is not None else sum(step.work.seconds or 0.0 for step in steps)
    return Stage(title, 100 * done // len(steps), _state(states), told, _pace(rows, took))


def _state(states: list[str]) -> str:
    if State.FAILED in states:
        return "failed"
    if all(state == State.DONE for state in states):
        return "done"
    return "running" if State.RUNNING in states or State.DONE in states else "waiting"


def _store(run: Run, found: list[Stage], seconds: float | None) -> Stage:
    if run.report is not None:
        stored = run.report["outcome"]["stored"]
        return Stage("Store", 100, "done", f"{stored:,} records", _pace(stored, seconds))
    if run.state == Run.State.FAILED:
        return Stage("Store", 0, "failed", "The run failed" if run.cancelled_by is None else "The run was cancelled")
    diff, attribute = found[1], found[2]
    share = (diff.percent + attribute.percent) // 2
    return Stage("Store", share, "running" if share else "waiting", f"{share} %" if share else "Waiting")


def _pace(rows: int, seconds: float | None) -> str:
    if not seconds:
        return ""
    return f"{seconds:,.2f} s, {rows / seconds:,.0f} per second" if rows else f"{seconds:,.2f} s"
