"""A running beat pulls on schedule, both sides arrive, and the run happens by itself; a second beat changes nothing."""

from collections.abc import Callable
from pathlib import Path

from config.definitions.apply import apply_definition
from config.stack.process import Child
from ingestion.models import Delivery, Tick
from reconciliation.models import AutomaticRun, Run
from tests.conftest import DEFINITION, HEADER, problems, row
from tests.faults.conftest import Start, finished, until

PULLED = """    kind: drop
    connection: {{url: 'file://{folder}/{code}_*.csv'}}
    business_date: {{from_name: '_([0-9]+)'}}
    schedule: every 1 second
"""


def pulled(folder: Path) -> str:
    """`trades` between two drops that are pulled every second, run on arrival."""
    text = DEFINITION.replace("  left:\n", "  left:\n" + PULLED.format(folder=folder, code="left"))
    right = PULLED.format(folder=folder, code="right").replace("    ", ", ").replace("\n", "").removeprefix(", ")
    text = text.replace("  right: {record_type: trade", f"  right: {{record_type: trade, {right}")
    return text.replace("    a: left\n", "    a: left\n    runs: {on_arrival: true}\n")


def test_two_beats_pull_on_schedule_and_one_run_happens_by_itself(
    beat: Callable[[], Child], worker: Start, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    apply_definition(pulled(drop), tmp_path)
    for code, amount in (("left", "10.25"), ("right", "10.00")):
        (drop / f"{code}_20261120.csv").write_text(f"{HEADER}\n{row('A')}\n{row('B', amount)}\n", encoding="utf-8")
    worker()
    beats = [beat(), beat()]
    until(lambda: Run.objects.exists() and finished(Run.objects.latest("id")), "no run happened")
    run = Run.objects.get()
    assert (run.state, run.started_by, f"{run.business_date}") == (Run.State.DONE, "arrival", "2026-11-20")
    assert run.report is not None and run.report["records"]["matched"] == 1
    deliveries = {it.source.code: it.pk for it in Delivery.objects.select_related("source")}
    started = AutomaticRun.objects.get()
    assert (started.a_id, started.b_id) == (deliveries["left"], deliveries["right"])
    due = Tick.objects.filter(task="config.tasks.pull_on_schedule")
    assert due.count() >= 2
    assert due.count() == due.values("code", "due_at").distinct().count()
    assert all(it.is_alive for it in beats)
    assert problems() == []
