"""A run starts by itself when both sides of a date have arrived, or by schedule, once for a pair of deliveries."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from config import tasks
from config.pipeline import run_to_end
from ingestion.deliveries import accept_delivery, plan_normalization
from ingestion.models import Delivery, Normalization, Source, Tick
from ingestion.push import push, seal_open
from reconciliation.arrivals import start_arrived, start_scheduled, watching
from reconciliation.models import AutomaticRun, Reconciliation, Run
from reconciliation.runs import advance_run, start_run
from tests.conftest import DAY, DEFINITION, HEADER, problems, row

Deliver = Callable[..., Normalization]
NEXT = DAY + dt.timedelta(days=1)
ARRIVING = DEFINITION.replace("    a: left\n", "    a: left\n    runs: {on_arrival: true}\n")
HOURLY = DEFINITION.replace("    a: left\n", "    a: left\n    runs: {schedule: every hour}\n")


def text(*keys: str, amount: str = "10.00") -> str:
    """A file of these records."""
    return "\n".join([HEADER, *(row(key, amount) for key in keys)]) + "\n"


def arrived() -> list[Run]:
    """What starts now; it takes its deliveries, unless an earlier run is active."""
    return [advance_run(run) for run in start_arrived(watching(), timezone.now())]


@pytest.fixture
def arriving(define: Callable[[str], object]) -> None:
    """`trades`, which runs on arrival."""
    define(ARRIVING)


@pytest.mark.usefixtures("arriving")
def test_a_run_waits_for_both_sides_of_its_date(deliver: Deliver) -> None:
    deliver("left", text("A"))
    assert arrived() == []
    deliver("right", text("A"), NEXT)
    assert arrived() == []
    right = deliver("right", text("A"))
    run = run_to_end(arrived()[0])
    assert (run.business_date, run.state, run.started_by) == (DAY, Run.State.DONE, "arrival")
    assert AutomaticRun.objects.get().b_id == right.delivery_id
    assert arrived() == []
    assert problems() == []


@pytest.mark.usefixtures("arriving")
def test_a_correction_makes_another_pair_and_another_run(deliver: Deliver) -> None:
    deliver("left", text("A"))
    deliver("right", text("A", amount="11.00"))
    run_to_end(arrived()[0])
    deliver("right", text("A", amount="10.00"))
    second = arrived()[0]
    assert [it.normalization.delivery.source.code for it in second.inputs.all()] == ["right"]
    assert arrived() == []


@pytest.mark.usefixtures("arriving")
def test_what_a_person_ran_is_not_run_again(deliver: Deliver) -> None:
    deliver("left", text("A"))
    deliver("right", text("A"))
    by_hand = start_run(reconciliation=Reconciliation.objects.get(), business_date=DAY, by="somebody")
    assert arrived() == []  # it waits, and will take both
    advance_run(by_hand)
    assert arrived() == []


@pytest.mark.usefixtures("arriving")
def test_a_pair_whose_run_failed_is_left_to_a_person(deliver: Deliver) -> None:
    deliver("left", text("A"))
    deliver("right", text("A"))
    run = start_arrived(watching(), timezone.now())[0]
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED)
    assert arrived() == []


@pytest.mark.usefixtures("arriving")
def test_a_side_that_is_still_read_or_cannot_be_read_has_not_arrived(deliver: Deliver, tmp_path: Path) -> None:
    deliver("left", text("A"))
    deliver("right", text("A"))
    file = tmp_path / "more.csv"
    file.write_text(text("B"), encoding="utf-8")
    more = accept_delivery(source=Source.objects.get(code="left"), file=file, business_date=DAY).delivery
    work = plan_normalization(more)
    assert arrived() == []
    Normalization.objects.filter(pk=work.pk).update(state="failed")
    assert len(arrived()) == 1
    Normalization.objects.filter(delivery__source__code="right").update(state="failed")
    deliver("left", text("C"))
    assert arrived() == []


@pytest.mark.usefixtures("arriving")
def test_the_database_refuses_a_second_run_of_a_pair(deliver: Deliver) -> None:
    deliver("left", text("A"))
    deliver("right", text("A"))
    arrived()
    first = AutomaticRun.objects.get()
    other = start_run(reconciliation=first.reconciliation, business_date=DAY)
    with pytest.raises(IntegrityError, match="automatic_run_once_a_pair_of_deliveries"), transaction.atomic():
        AutomaticRun.objects.create(run=other, reconciliation=first.reconciliation, a=first.a, b=first.b)
    AutomaticRun.objects.create(run=other, reconciliation=first.reconciliation, a=first.a, b=None)
    third = start_run(reconciliation=first.reconciliation, business_date=DAY)
    with pytest.raises(IntegrityError, match="automatic_run_once_a_pair_of_deliveries"), transaction.atomic():
        AutomaticRun.objects.create(run=third, reconciliation=first.reconciliation, a=first.a, b=None)


@pytest.mark.usefixtures("arriving")
def test_who_started_a_run_by_itself_is_sealed(deliver: Deliver) -> None:
    deliver("left", text("A"))
    deliver("right", text("A"))
    arrived()
    assert problems() == []
    AutomaticRun.objects.update(b=None)
    assert [it for it in problems() if "automatic run" in it]


def test_what_is_pushed_arrives_like_a_file(
    define: Callable[[str], object], deliver: Deliver, person: Callable[[str], User], monkeypatch: pytest.MonkeyPatch
) -> None:
    define(ARRIVING.replace("  left:\n", "  left:\n    kind: push\n"))
    ringing: list[Run] = []
    monkeypatch.setattr(tasks.pipeline, "ring", ringing.append)
    deliver("right", text("A"))
    left = Source.objects.get(code="left")
    record = dict(zip(HEADER.split(","), row("A").split(","), strict=True))
    pushed = push(source=left, body=json.dumps([record]).encode(), key="1", by=person("API client"), date=DAY)
    tasks.normalize(plan_normalization(seal_open(pushed.receipt.open_delivery)).pk)
    assert [(run.business_date, run.started_by) for run in ringing] == [(DAY, "arrival")]


def test_by_hand_is_the_default(trades: Reconciliation, deliver: Deliver) -> None:
    deliver("left", text("A"))
    deliver("right", text("A"))
    assert arrived() == []
    assert not trades.runs_on_arrival


def test_a_schedule_runs_what_is_new_though_one_side_is_missing(
    define: Callable[[str], object], deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(HOURLY)
    now = timezone.now().replace(minute=59, second=59, microsecond=0)
    monkeypatch.setattr(tasks, "database_now", lambda: now)
    monkeypatch.setattr(tasks.pipeline, "ring", advance_run)
    deliver("left", text("A", "B"))
    for _ in range(3):
        tasks.run_on_schedule("trades")
    run = run_to_end(Run.objects.get())
    assert run.report is not None and run.report["records"]["missing_in_b"] == 2
    assert run.started_by == "schedule"
    deliver("right", text("A", "B"))
    tasks.run_on_schedule("trades")  # the hour is taken
    assert Run.objects.count() == 1
    now += dt.timedelta(seconds=1)
    tasks.run_on_schedule("trades")
    now += dt.timedelta(hours=1)
    tasks.run_on_schedule("trades")  # an hour with nothing new
    assert Run.objects.count() == 2
    assert Tick.objects.filter(task="config.tasks.run_on_schedule", done_at__isnull=False).count() == 3
    assert Delivery.objects.count() == 2
    assert problems() == []


def test_a_scheduled_run_and_an_arrival_take_a_pair_once(define: Callable[[str], object], deliver: Deliver) -> None:
    define(ARRIVING)
    deliver("left", text("A"))
    deliver("right", text("A"))
    trades = Reconciliation.objects.get()
    started = [*start_scheduled(trades, timezone.now()), *start_arrived([trades], timezone.now())]
    assert [run.started_by for run in started] == ["schedule"]
