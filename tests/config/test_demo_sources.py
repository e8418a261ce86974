"""The demo's sources: one of each kind, each through its own door, and the differences that were planned."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from config import demo_sources, tasks
from config.pipeline import run_to_end
from examples.every_source import carrier, generate
from ingestion.models import Delivery, Source
from reconciliation.models import Break, Reconciliation
from reconciliation.runs import start_run
from tests.conftest import problems
from tests.faults.conftest import committed  # noqa: F401 - the store's tables go after the test

PLANNED = {
    ("card_takings", "R-0001", "missing_in_b"), ("card_takings", "R-0007", "differing"), ("card_takings", "R-0061", "missing_in_a"),
    ("shipments", "P00011", "differing"), ("shipments", "P00033", "missing_in_b"),
    ("payouts", "PAY-0015", "differing"), ("payouts", "PAY-0044", "missing_in_b"),
}  # fmt: skip


@pytest.fixture
def other_side(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[None]:
    """What `up --demo` starts and names."""
    at = connection.settings_dict
    server = carrier.serve(0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TIEOUT_DEMO_TOKEN", "t0ken")
    monkeypatch.setenv("TIEOUT_DEMO_API", f"http://127.0.0.1:{server.server_port}/shipments")
    monkeypatch.setenv(
        "TIEOUT_DEMO_MART",
        f"postgresql+psycopg://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}",
    )
    settings.OUTBOUND_HOSTS, settings.DROP_FOLDERS = ["127.0.0.1"], [str(tmp_path / "drop")]
    yield
    server.shutdown()
    server.server_close()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS demo_mart CASCADE")


@pytest.mark.usefixtures("committed", "other_side")
def test_every_kind_hands_over_and_the_planned_differences_are_found(
    live_server: LiveServer, person: Callable[[str], User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.pull_source, "delay", tasks.pull_source.run)
    person("Analyst")
    demo_sources.hand_over(live_server.url, "secret-of-a-test")
    assert set(Source.objects.values_list("kind", flat=True)) == set(Source.Kind.values)
    assert {it.source.code for it in Delivery.objects.select_related("source")} == set(demo_sources.CODES)
    assert Delivery.objects.count() == len(demo_sources.CODES)
    for code in demo_sources.RECONCILIATIONS:
        run_to_end(start_run(reconciliation=Reconciliation.objects.get(code=code), business_date=demo_sources.DAY))
    assert set(Break.objects.filter(state="review").values_list("reconciliation__code", "key", "kind")) == PLANNED
    assert Break.objects.get(state="passed").key == "P00020"  # a weight that was rounded needs no person
    assert sum(line.endswith(("    60", "    59")) for line in demo_sources.source_lines()) == len(demo_sources.CODES)
    assert problems() == []


def test_the_example_s_files_are_what_its_generator_writes(tmp_path: Path) -> None:
    generate.main(tmp_path)
    written = {it.name: it.read_bytes() for it in tmp_path.iterdir()}
    assert written == {name: (demo_sources.FOLDER / name).read_bytes() for name in written}
