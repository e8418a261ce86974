"""A running beat pulls on schedule, both sides arrive, and the run happens by itself; a second beat changes nothing."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from config import tasks
from config.celery import app
from config.definitions.apply import apply_definition
from config.stack.process import Child
from ingestion.models import Delivery, Tick
from ingestion.schedules import PULL, RUN
from reconciliation.models import AutomaticRun, Run
from tests.conftest import DEFINITION, HEADER, problems, row
from tests.faults.conftest import Start, finished, until

PULLED = """    kind: drop
    connection: {{url: 'file://{folder}/{code}_*.csv'}}
    business_date: {{from_name: '_([0-9]+)'}}
    schedule: every 2 seconds
"""


def pulled(folder: Path) -> str:
    """`trades` between two drops that are pulled every two seconds, run on arrival."""
    text = DEFINITION.replace("  left:\n", "  left:\n" + PULLED.format(folder=folder, code="left"))
    right = PULLED.format(folder=folder, code="right").replace("    ", ", ").replace("\n", "").removeprefix(", ")
    text = text.replace("  right: {record_type: trade", f"  right: {{record_type: trade, {right}")
    return text.replace("    a: left\n", "    a: left\n    runs: {on_arrival: true}\n")


def test_beat_pulls_on_schedule_and_the_run_happens_by_itself(
    beat: Callable[[], Child], worker: Start, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    apply_definition(pulled(drop), tmp_path)
    for code, amount in (("left", "10.25"), ("right", "10.00")):
        (drop / f"{code}_20261120.csv").write_text(f"{HEADER}\n{row('A')}\n{row('B', amount)}\n", encoding="utf-8")
    beat()
    worker()
    until(lambda: Run.objects.exists() and finished(Run.objects.latest("id")), "no run happened")
    run = Run.objects.get()
    assert (run.state, run.started_by, f"{run.business_date}") == (Run.State.DONE, "arrival", "2026-11-20")
    assert run.report is not None and run.report["records"]["matched"] == 1
    deliveries = {it.source.code: it.pk for it in Delivery.objects.select_related("source")}
    started = AutomaticRun.objects.get()
    assert (started.a_id, started.b_id) == (deliveries["left"], deliveries["right"])
    assert {it.code for it in Tick.objects.filter(task=PULL)} == {"left", "right"}
    assert problems() == []


class Beat(DatabaseScheduler):
    """A beat in this process, of schedules alone; what it sends is done at once."""

    sent: list[str] = []

    def setup_schedule(self) -> None:
        """Nothing of the settings."""

    def apply_async(self, entry: ModelEntry, *args: object, **kwargs: object) -> object:
        """Do it, and remember that."""
        self.sent.append(entry.name)
        return self.app.tasks[entry.task](**entry.kwargs)


@pytest.mark.usefixtures("committed", "broker")
def test_two_beats_that_send_the_same_start_one_run(
    deliver: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly = DEFINITION.replace("    a: left\n", "    a: left\n    runs: {schedule: every hour}\n")
    apply_definition(hourly, tmp_path)
    deliver("left", f"{HEADER}\n{row('A')}\n")
    PeriodicTask.objects.update(last_run_at=timezone.now() - dt.timedelta(hours=2))
    monkeypatch.setattr(tasks.pipeline, "ring", lambda _: None)
    beats = [Beat(app=app), Beat(app=app)]
    assert all(beat.schedule for beat in beats)  # both have read what is due
    for beat in beats:
        beat.tick()
    assert Beat.sent == ["Run trades", "Run trades"]
    assert Run.objects.count() == Tick.objects.filter(task=RUN).count() == 1
