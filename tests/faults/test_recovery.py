"""A run survives the loss of a worker, of a connection, of every message, and of order."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client

from config import tasks
from config.pipeline import advance, do, ring, run_to_end, work_of
from ingestion.models import ClaimedWork, Normalization
from reconciliation.conservation import conservation
from reconciliation.models import Break, Run, RunStep
from tests.faults.conftest import Start, _database_url, finished, held, held_run, kill, swept, until
from tests.test_straight_path import problems

BLOCKED_IN = {
    "normalize": "ingestion_quarantinedrow",
    "diff": "reconciliation_difference",
    "attribute": "attribution_candidate",
    "gate": "reconciliation_gaterefusal",
}
Make = Callable[..., Run]


def _is_whole(run: Run) -> None:
    """The run ended as if nothing had happened: each row in one state, nothing twice, nothing altered."""
    assert run.state == Run.State.DONE, run.error
    assert run.report is not None
    assert run.report["records"] == {
        "matched": 38,
        "differing": 2,
        "missing_in_a": 0,
        "missing_in_b": 0,
        "duplicate": 0,
    }
    assert run.report["outcome"] == {"stored": 39, "in_review": 1, "rejected": 0}
    told = conservation(run)
    assert (told.received, told.unaccounted, told.states["quarantined"]) == (81, 0, 1)
    assert Break.objects.count() == 2
    assert problems() == []


def do_all_but_the_last(run: Run) -> None:
    """Normalize and compare here; explaining and the end are left."""
    for _ in ("normalize", "diff"):
        for it in advance(run):
            do(it)


@pytest.mark.parametrize("stage", BLOCKED_IN)
def test_a_killed_worker_leaves_nothing_and_another_goes_on(stage: str, waiting_run: Make, worker: Start) -> None:
    with held(BLOCKED_IN[stage]) as is_waited_for:
        run, first = waiting_run(), worker()
        until(is_waited_for, f"nobody came to {stage}")
        kill(first)
    if stage == "diff":
        worker()
        until(lambda: finished(run), "the run did not go on", meanwhile=swept)
    else:  # this process is another: the lease and its end are the same for all
        until(lambda: finished(run_to_end(run)), "the run did not go on")
    _is_whole(run)
    attempts = [it.attempts for model in (Normalization, RunStep) for it in model._default_manager.all()]
    assert max(attempts) == 2


def test_a_worker_killed_while_it_ends_the_run_leaves_the_end_to_another(waiting_run: Make, worker: Start) -> None:
    run = waiting_run()
    do_all_but_the_last(run)
    with held_run(run) as is_waited_for:
        tasks.attribute.delay(run.steps.get(step=RunStep.Step.ATTRIBUTE).pk)
        last = worker("attribution")
        until(is_waited_for, "nobody came to end the run")
        kill(last)
        assert {step.state for step in run.steps.all()} == {ClaimedWork.State.DONE}
    assert not finished(run)
    run_to_end(run)
    _is_whole(run)


def test_a_worker_that_hangs_loses_its_locks_and_its_work(waiting_run: Make, worker: Start, tmp_path: Path) -> None:
    run = waiting_run()
    do_all_but_the_last(run)
    with held("reconciliation_break") as is_waited_for:
        tasks.attribute.delay(run.steps.get(step=RunStep.Step.ATTRIBUTE).pk)
        first = worker("attribution")
        until(is_waited_for, "nobody came to write what the gate said")
        os.killpg(first.pid, signal.SIGSTOP)
    until(lambda: finished(run_to_end(run)), "the run did not go on")
    _is_whole(run)
    os.killpg(first.pid, signal.SIGCONT)
    log = tmp_path / "worker-0.log"
    until(lambda: "was taken over by another worker" in log.read_text(), "it did not notice")
    _is_whole(run)


def test_a_cut_connection_costs_one_attempt(waiting_run: Make, worker: Start) -> None:
    with held("reconciliation_difference") as is_waited_for:
        run = waiting_run()
        worker()
        until(is_waited_for, "nobody came to diff")
        with psycopg.connect(_database_url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
    until(lambda: finished(run), "the run did not go on", meanwhile=swept)
    _is_whole(run)


def test_a_task_that_comes_ten_times_and_too_early_works_once(waiting_run: Make, worker: Start) -> None:
    run = waiting_run()
    for normalization in Normalization.objects.all():
        for _ in range(9):
            tasks.normalize.delay(normalization.pk)
    worker()
    worker("ingest,diff,attribution")
    until(lambda: run.steps.exists(), "nothing was normalized")
    for step in run.steps.all():
        for _ in range(10):
            (tasks.diff if step.step == RunStep.Step.DIFF else tasks.attribute).delay(step.pk)
    until(lambda: finished(run), "the run did not end", meanwhile=swept)
    _is_whole(run)
    assert {it.attempts for model in (Normalization, RunStep) for it in model._default_manager.all()} == {1}


def test_a_step_that_ten_threads_claim_is_done_once(waiting_run: Make, worker: Start) -> None:
    run = waiting_run()

    def all_of_it(_: int) -> None:
        try:
            for _ in range(4):
                for it in work_of(Run.objects.get(pk=run.pk)):
                    do(it)
                ring(Run.objects.get(pk=run.pk))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(all_of_it, range(10)))
    run_to_end(run)
    _is_whole(run)
    assert {it.attempts for it in run.steps.all()} == {1}


def test_emptied_redis_only_costs_time(waiting_run: Make, worker: Start, broker: str) -> None:
    with held("reconciliation_difference") as is_waited_for:
        run = waiting_run()
        worker()
        until(is_waited_for, "nobody came to diff")
        redis.from_url(broker).flushdb()  # all that these workers have there; other tests keep theirs
    until(lambda: finished(run), "the run did not end", meanwhile=swept)
    _is_whole(run)


def test_two_runs_at_once_take_turns(waiting_run: Make, worker: Start) -> None:
    first, second = waiting_run(), waiting_run(day=1)
    assert (first.state, second.state) == (Run.State.RUNNING, Run.State.WAITING)
    worker()
    worker("ingest,diff,attribution")
    until(lambda: finished(first) and finished(second), "one of them did not end", meanwhile=swept)
    assert first.finished_at is not None
    assert second.started_at is not None
    assert first.finished_at <= second.started_at
    assert second.report is not None
    assert second.report["records"]["matched"] == 38
    assert problems() == []


def test_without_a_diff_worker_the_run_waits_and_says_so(waiting_run: Make, worker: Start, client: Client) -> None:
    person = User.objects.create_user("anyone")
    person.groups.add(Group.objects.get(name="Analyst"))
    client.force_login(person)
    run = waiting_run()
    worker("ingest,attribution")
    until(lambda: run.steps.exists(), "nothing was normalized")
    diff = run.steps.get(step=RunStep.Step.DIFF)
    assert (diff.state, diff.queue, diff.attempts) == (ClaimedWork.State.READY, "diff", 0)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Ready" in page
    assert "<td>diff</td>" in page
    worker("diff")
    until(lambda: finished(run), "the run did not end", meanwhile=swept)
    _is_whole(run)


def test_a_step_that_always_fails_ends_the_run_with_a_sentence(
    waiting_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("reconciliation.diff._diff", broken)
    run = waiting_run()
    for _ in range(5):
        with pytest.raises(OSError, match="No space left"):
            run_to_end(run)
    run_to_end(run)
    assert run.state == Run.State.FAILED
    assert "diff 0-63 failed" in run.error
    assert "No space left on device" in run.error
    assert "Traceback" not in run.error
    assert Break.objects.count() == 0
