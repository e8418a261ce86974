"""A worker that is killed in the middle of a bulk decision: who goes on begins where it was, and no row is decided twice."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.http import QueryDict

from config.tasks import decide_bulk
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.store.load import lock_places
from review.bulk.bulks import start_bulk, undo_bulk
from review.bulk.selecting import choose_filtered
from review.bulk.stopping import stop_bulk
from review.bulk.working import CHUNK, work_on
from review.models import BulkDecision, BulkRow, Decision
from tests.conftest import problems, row
from tests.faults.conftest import Start, held, kill, meanwhile, swept, until

MANY = 3 * CHUNK + 20


@pytest.fixture
def many(committed: None, reconcile: Callable[..., Run], broker: str) -> None:
    """Breaks in review, so many that a bulk takes several chunks."""
    left, right = (
        [row(f"T{n:04}", f"{sign}{n}.00", party=f"P{n % 7}") for n in range(1, MANY + 1)] for sign in ("", "-")
    )
    reconcile(left, right)


def settled(bulk: BulkDecision) -> int:
    """How many rows have their result, read anew."""
    bulk.refresh_from_db()
    return bulk.settled


def test_a_killed_worker_costs_time_only(many: None, worker: Start, person: Callable[..., User]) -> None:
    by = person("Manager")
    preview = choose_filtered(query=QueryDict("state=review"), by=by)
    bulk = start_bulk(preview=preview, action="approve", by=by, typed=str(MANY))
    first = worker("decisions")
    until(lambda: settled(bulk) >= CHUNK, "no chunk was done")
    with held("attribution_correction") as is_waited_for:  # it stands in the middle of a chunk
        until(is_waited_for, "no chunk came to its labels")
        kill(first)
    done = dict(BulkRow.objects.filter(state="done").values_list("pk", "decision"))
    assert 0 < len(done) < MANY and Decision.objects.count() == len(done)
    worker("ingest,decisions")
    until(lambda: settled(bulk) == MANY and bulk.state == "done", "nobody went on", meanwhile=swept)
    assert BulkRow.objects.filter(state="done").count() == Decision.objects.count() == MANY
    assert dict(BulkRow.objects.filter(pk__in=done).values_list("pk", "decision")) == done
    assert set(Break.objects.values_list("state", flat=True)) == {"approved"} and problems() == []


def test_an_undoing_goes_on_where_it_was(many: None, worker: Start, person: Callable[..., User]) -> None:
    by = person("Manager")
    preview = choose_filtered(query=QueryDict("state=review&key=T000"), by=by)
    bulk = start_bulk(preview=preview, action="reject", by=by)
    first = worker("ingest,decisions")
    decide_bulk.delay(bulk.pk)  # a message that comes twice
    until(lambda: settled(bulk) == 9 and bulk.state == "done", "the bulk was not done", meanwhile=swept)
    undoing = undo_bulk(bulk=bulk, by=by, comment="wrong")
    until(lambda: settled(undoing) >= 1, "no row was undone", meanwhile=swept)
    kill(first)
    worker("ingest,decisions")
    until(lambda: settled(undoing) == 9 and undoing.state == "done", "nobody went on", meanwhile=swept)
    assert undoing.done == 9 and Decision.objects.exclude(undone_by=by).count() == 0
    assert set(Break.objects.values_list("state", flat=True)) == {"review"} and problems() == []


def test_a_break_that_somebody_holds_is_left_for_later(many: None, person: Callable[..., User]) -> None:
    by = person("Manager")
    preview = choose_filtered(query=QueryDict("state=review&key=T000"), by=by)
    bulk = start_bulk(preview=preview, action="reject", by=by)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Break.objects.select_for_update().get(key="T0005")  # as a run, or who decides it alone
        worked = pool.submit(_worked, bulk)
        until(lambda: BulkRow.objects.filter(state="done").count() == 8, "the others were not decided")
        assert BulkRow.objects.get(state="waiting").brk.key == "T0005"
    worked.result(timeout=30)
    assert settled(bulk) == 9 and problems() == []


def test_an_undoing_waits_for_a_run_that_stores(
    many: None, person: Callable[..., User], trades: Reconciliation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.decisions.locks.PATIENCE", 1)
    by = person("Manager")
    bulk = start_bulk(preview=choose_filtered(query=QueryDict("state=review&key=T000"), by=by), action="reject", by=by)
    work_on(bulk)
    undoing = undo_bulk(bulk=bulk, by=by, comment="wrong")

    done = meanwhile(lambda: lock_places(trades.record_type, (0, 63)), lambda: work_on(undoing), lambda: time.sleep(2))

    done.result()
    assert settled(undoing) == undoing.done == 9 and problems() == []


def _worked(bulk: BulkDecision) -> None:
    try:
        work_on(bulk)
    finally:
        connections.close_all()


def test_a_stop_waits_for_the_chunk_in_hand(many: None, worker: Start, person: Callable[..., User]) -> None:
    by = person("Manager")
    preview = choose_filtered(query=QueryDict("state=review"), by=by)
    bulk = start_bulk(preview=preview, action="approve", by=by, typed=str(MANY))
    worker("decisions")
    until(lambda: settled(bulk) >= CHUNK, "no chunk was done")
    stop_bulk(bulk=bulk, by=by)
    until(lambda: settled(bulk) == MANY and bulk.state == "done", "it was not ended", meanwhile=swept)
    assert CHUNK <= bulk.done < MANY and bulk.refused == MANY - bulk.done
    assert Decision.objects.count() == Break.objects.filter(state="approved").count() == bulk.done and problems() == []
