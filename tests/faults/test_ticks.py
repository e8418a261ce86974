"""A due time is met once: by doubled messages at once, after a lost one, and whatever the clocks of the workers say."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from config import tasks
from config.definitions.apply import apply_definition
from ingestion import pull as pulling
from ingestion.connectors.drop import Drop
from ingestion.connectors.offer import PullError
from ingestion.models import Delivery, Source, Tick
from ingestion.schedules import PULL, RUN, put_schedule
from ingestion.ticks import ATTEMPTS
from reconciliation.models import Run
from tests.conftest import DAY, DEFINITION, HEADER, row
from tests.faults.test_beat import pulled

HOURLY = DEFINITION.replace("    a: left\n", "    a: left\n    runs: {schedule: every hour}\n")
NOON = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


def at_once(call: Callable[[], object]) -> None:
    """Six threads do the same."""

    def one(_: int) -> None:
        try:
            call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(6)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], None]:
    """Set the database's clock."""
    return lambda now: monkeypatch.setattr(tasks, "database_now", lambda: now)


@pytest.mark.usefixtures("committed")
def test_six_messages_of_one_due_time_start_one_run(
    deliver: Callable[..., object], tmp_path: Path, clock: Callable[[dt.datetime], None], broker: str
) -> None:
    apply_definition(HOURLY, tmp_path)
    deliver("left", f"{HEADER}\n{row('A')}\n", DAY)
    clock(timezone.now())
    at_once(lambda: tasks.run_on_schedule("trades"))
    assert Run.objects.count() == Tick.objects.filter(task=RUN).count() == 1
    tick = Tick.objects.get()
    with pytest.raises(IntegrityError, match="tick_once_a_due_time"), transaction.atomic():
        Tick.objects.create(task=RUN, code="trades", due_at=tick.due_at, claimed_at=NOON, next_at=NOON)


@pytest.fixture
def drop(db: None, tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file, pulled every hour on the hour; no message goes anywhere."""
    folder = tmp_path / "drop"
    folder.mkdir()
    settings.DROP_FOLDERS = [str(folder)]  # type: ignore[attr-defined]
    apply_definition(pulled(folder).replace("every 2 seconds", "0 * * * *"), tmp_path)
    (folder / "left_20261120.csv").write_text(f"{HEADER}\n{row('A')}\n", encoding="utf-8")
    for task in (tasks.normalize, tasks.pull_on_schedule, tasks.pull_again, tasks.pull_source):
        monkeypatch.setattr(task, "delay", lambda *_: None)
    monkeypatch.setattr(tasks.pull_again, "apply_async", lambda *_, **__: None)
    return folder


def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which sources are looked at from now on."""
    seen: list[str] = []
    known = pulling.connector_of
    monkeypatch.setattr(pulling, "connector_of", lambda source: seen.append(source.code) or known(source))
    return seen


@pytest.mark.usefixtures("drop")
def test_a_file_is_taken_at_its_due_time_by_two_looks_and_no_more(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[dt.datetime], None]
) -> None:
    seen = looks(monkeypatch)
    clock(NOON + dt.timedelta(seconds=3))
    for _ in range(3):
        tasks.pull_on_schedule("left")
    assert (seen, Delivery.objects.count()) == (["left"], 0)  # the file may still be written
    clock(NOON + dt.timedelta(seconds=40))
    tasks.pull_again(Tick.objects.get().pk)
    tasks.pull_again(Tick.objects.get().pk)
    assert (seen, Delivery.objects.count()) == (["left", "left"], 1)
    monkeypatch.setattr(timezone, "now", lambda: NOON + dt.timedelta(hours=1))  # a worker whose clock is wrong
    tasks.pull_on_schedule("left")
    assert len(seen) == 2
    clock(NOON + dt.timedelta(hours=1))
    tasks.pull_on_schedule("left")
    assert len(seen) == 3
    assert [it.due_at for it in Tick.objects.all()] == [NOON + dt.timedelta(hours=1), NOON]


@pytest.mark.usefixtures("drop")
def test_a_due_time_whose_message_was_lost_is_met_by_the_watch(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[dt.datetime], None]
) -> None:
    sent: list[tuple[str, object]] = []
    monkeypatch.setattr(tasks.pull_on_schedule, "delay", lambda code: sent.append(("due", code)))
    monkeypatch.setattr(tasks.pull_again, "delay", lambda pk: sent.append(("again", pk)))
    clock(NOON)
    tasks.watch_schedules()
    assert sent == []  # a schedule that was just made waits for its time
    tasks.pull_on_schedule("left")
    clock(NOON + dt.timedelta(minutes=59))
    tasks.watch_schedules()
    assert sent == [("again", Tick.objects.get().pk)]
    clock(NOON + dt.timedelta(hours=1, seconds=20))
    tasks.watch_schedules()
    assert sent[1:] == [("due", "left"), ("again", Tick.objects.get().pk)]
    tasks.pull_on_schedule("left")
    sent.clear()
    tasks.watch_schedules()
    assert sent == []


@pytest.mark.usefixtures("drop")
def test_a_pull_that_fails_is_tried_again_later_and_given_up(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[dt.datetime], None]
) -> None:
    def broken(_: Drop) -> None:
        raise PullError("The bucket cannot be read.")

    monkeypatch.setattr(Drop, "offers", broken)
    now, waits = NOON, []
    clock(now)
    tasks.pull_on_schedule("left")
    while (tick := Tick.objects.get()).done_at is None:
        waits.append(int((tick.next_at - now).total_seconds()))
        now = tick.next_at
        clock(now)
        tasks.pull_again(tick.pk)
    assert waits == [60, 120, 240, 480, 960]
    assert (tick.attempts, tick.error) == (ATTEMPTS, "The bucket cannot be read.")


@pytest.mark.usefixtures("drop")
def test_a_doubled_minute_pulls_once_and_leaves_what_has_a_schedule(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[dt.datetime], None]
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks.pull_source, "delay", sent.append)
    put_schedule(task=PULL, code="left", text="")
    put_schedule(task=PULL, code="right", text="every hour", enabled=False)
    for second in (0, 1, 59, 60):
        clock(NOON + dt.timedelta(seconds=second))
        tasks.pull_sources()
    assert sent == [Source.objects.get(code="left").pk] * 2
