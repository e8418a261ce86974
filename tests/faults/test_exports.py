"""An export survives the loss of its worker and of its message."""

from collections.abc import Callable

from django.contrib.auth.models import User

from config import tasks
from config.pipeline import run_to_end
from ingestion import lake
from reconciliation.models import Run
from review.exporting import Wanted, ask_export
from review.models import Export
from tests.conftest import problems
from tests.faults.conftest import Start, held, kill, swept, until


def test_a_killed_worker_leaves_its_export_to_another(waiting_run: Callable[..., Run], worker: Start) -> None:
    run_to_end(waiting_run())
    asked = ask_export(wanted=Wanted("queue", "csv", {"state": "all"}), by=User.objects.create_superuser("root"))
    with held("ingestion_auditevent") as is_waited_for:
        tasks.make_export.delay(asked.pk)
        first = worker("exports")
        until(is_waited_for, "nobody came to the end of the export")
        kill(first)
    asked.refresh_from_db()
    assert (asked.state, asked.path) == ("running", "")
    worker("ingest,exports")
    until(lambda: Export.objects.get(pk=asked.pk).state == "done", "the export was not made anew", meanwhile=swept)
    asked.refresh_from_db()
    assert asked.attempts == 2 and asked.rows == 2
    assert lake.sha256_of(lake.local(asked.path)) == asked.sha256
    assert problems() == []
