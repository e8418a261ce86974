"""How far a run is, for its page and for the admin's: the stages, who works, what fell silent, and how long it will take."""

import datetime as dt
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils import timezone

from ingestion.models import ClaimedWork
from reconciliation.models import Run, RunInput, RunStep
from review.pages.remaining import Former, seconds_left, told_left
from review.pages.stages import Stage, Step, forsaken, stages


@dataclass(frozen=True)
class Progress:
    """A run with its steps in the order in which they are done; `former` is the last run before it that ended well."""

    run: Run
    steps: Sequence[Step]
    former: Former | None

    @property
    def is_active(self) -> bool:
        """Whether the run waits or works, so that a page asks again."""
        return self.run.state in Run.ACTIVE_STATES

    @cached_property
    def stages(self) -> list[Stage]:
        """The four stages."""
        return stages(self.run, list(self.steps))

    @cached_property
    def forsaken(self) -> Step | None:
        """The step that no worker takes."""
        return forsaken(self.run, list(self.steps))

    @cached_property
    def stalled(self) -> list[Step]:
        """Steps whose worker gave no sign of life for a minute."""
        return [step for step in self.steps if step.is_stalled]

    @cached_property
    def told(self) -> str:
        """One line of where it stands, read aloud when it changes."""
        if not self.is_active:
            return f"Run {self.run.pk} {self._ended}."
        if not self.steps:
            return "Waiting for its turn."
        done = sum(step.work.state == ClaimedWork.State.DONE for step in self.steps)
        left = "" if self.forsaken or self.stalled else told_left(seconds_left(self.steps, self.former, timezone.now()))
        return f"{done} of {len(self.steps)} steps done" + (f", {left}" if left else "")

    @property
    def _ended(self) -> str:
        if self.run.state == Run.State.DONE:
            return "is done"
        return "failed" if self.run.cancelled_by is None else f"was cancelled by {self.run.cancelled_by}"

    @cached_property
    def mark(self) -> str:
        """Changes with whatever the page shows: a poll that brings the same mark is answered with nothing."""
        states = [(it.work.state, it.work.worker, it.work.attempts, it.is_stalled) for it in self.steps]
        return f"{zlib.crc32(repr((self.run.state, self.told, states, self.forsaken is None)).encode()):08x}"


def with_former(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Runs, each with what is asked of the one before it, in the same query."""
    before = Run.objects.filter(
        reconciliation=OuterRef("reconciliation"), state=Run.State.DONE, pk__lt=OuterRef("pk")
    ).order_by("-pk")
    told = before.annotate(told=JSONObject(pk="pk", business_date="business_date", report="report"))
    return runs.annotate(former=Subquery(told.values("told")[:1]))


def progress_of(run: Run, inputs: Iterable[RunInput]) -> Progress:
    """How far a run is; `run` as `with_former` gives it, `inputs` with their normalizations."""
    told: Any = run.former  # type: ignore[attr-defined]
    former = Former(told["pk"], dt.date.fromisoformat(told["business_date"]), told["report"]) if told else None
    return Progress(run, _steps(run, inputs), former)


def is_unchanged(request: HttpRequest, progress: Progress) -> bool:
    """Whether a page that asks again shows already what there is."""
    return bool(request.htmx) and progress.is_active and request.GET.get("seen") == progress.mark  # type: ignore[attr-defined]


def _steps(run: Run, inputs: Iterable[RunInput]) -> list[Step]:
    read = {it.normalization_id: it.normalization for it in inputs}
    reading = [
        Step("ingest", f"delivery {it.delivery_id}", it, it.received or 0)
        for it in sorted(read.values(), key=lambda it: it.delivery_id)
    ]
    order = {step: place for place, step in enumerate(RunStep.Step.values)}
    ranges = sorted(run.steps.all(), key=lambda it: (order[it.step], it.first_bucket))
    return reading + [Step(it.step, f"{it.first_bucket}-{it.last_bucket}", it, it.records or 0) for it in ranges]
