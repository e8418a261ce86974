"""Leases and fences: who may go on, who may not, and when nobody tries again."""

import datetime as dt
from collections.abc import Callable

import duckdb
import pytest
from django.conf import settings
from django.utils import timezone

from config.pipeline import advance, do, run_to_end
from ingestion.models import ClaimedWork, Normalization
from ingestion.work import claim
from reconciliation import breaks
from reconciliation.diff import diff_range
from reconciliation.inputs import Inputs
from reconciliation.models import Break, OutcomeFile, Reconciliation, Run, RunStep
from reconciliation.rules import Rules
from reconciliation.runs import start_run
from tests.conftest import DAY, HEADER, problems, row

Deliver = Callable[..., Normalization]


@pytest.fixture
def compared_next(trades: Reconciliation, deliver: Deliver) -> RunStep:
    """A run's diff step that is ready: two pairs, one of them with its sign turned."""
    deliver("left", f"{HEADER}\n{row('A')}\n{row('B', '20.25')}\n")
    deliver("right", f"{HEADER}\n{row('A')}\n{row('B', '-20.25')}\n")
    run = start_run(reconciliation=trades, business_date=DAY, by="test")
    advance(run)
    return run.steps.get(step=RunStep.Step.DIFF)


def _fall_silent(step: RunStep) -> None:
    RunStep.objects.filter(pk=step.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


def test_a_step_that_kills_each_worker_is_given_up(compared_next: RunStep) -> None:
    for _ in range(settings.STEP_ATTEMPTS):
        assert claim(compared_next)
        assert claim(compared_next) is None  # while its lease holds, nobody else may have it
        _fall_silent(compared_next)
    run = run_to_end(compared_next.run)
    assert run.state == Run.State.FAILED
    assert "Given up after 5 attempts: command:" in run.error
    assert "went silent in the last one" in run.error
    again = run_to_end(start_run(reconciliation=run.reconciliation, business_date=DAY))
    assert again.report is not None
    assert again.report["records"]["matched"] == 1
    assert problems() == []


def test_a_worker_that_was_taken_over_changes_nothing(
    compared_next: RunStep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plan, slept = breaks.plan, []

    def sleep_long_before(duck: duckdb.DuckDBPyConnection, given: Inputs, rules: Rules) -> None:
        if not slept:
            slept.append(given)
            _fall_silent(compared_next)
            diff_range(RunStep.objects.get(pk=compared_next.pk))  # another worker takes it over, and ends it
        plan(duck, given, rules)

    monkeypatch.setattr(breaks, "plan", sleep_long_before)
    do(compared_next)
    assert "was taken over by another worker" in caplog.text
    compared_next.refresh_from_db()
    assert (compared_next.state, compared_next.attempts, compared_next.fence) == (ClaimedWork.State.DONE, 2, 2)
    assert OutcomeFile.objects.get().path.endswith(f"{compared_next.pk}-2.parquet")
    run = run_to_end(compared_next.run)
    assert run.report is not None
    assert run.report["records"] == {
        "matched": 1,
        "differing": 1,
        "missing_in_a": 0,
        "missing_in_b": 0,
        "duplicate": 0,
    }
    assert Break.objects.count() == 1
    assert problems() == []
