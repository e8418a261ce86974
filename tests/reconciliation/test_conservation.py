"""Every row of a run is in one state, however many episodes its key has had."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.pipeline import run_to_end
from reconciliation.conservation import conservation
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.runs import start_run
from tests.conftest import DAY, row

NEXT_DAY = DAY + dt.timedelta(days=1)


def test_a_day_that_runs_again_after_the_next_one_adds_up(
    trades: Reconciliation, reconcile: Callable[..., Run]
) -> None:
    reconcile([row("LATE"), row("FIXED", "1.00"), row("SAME", "2.00")], [row("FIXED", "-1.00"), row("SAME", "-2.00")])
    reconcile([row("FIXED", "1.00")], [row("LATE"), row("FIXED", "1.00")], NEXT_DAY)
    assert set(Break.objects.filter(state="closed").values_list("key", flat=True)) == {"LATE", "FIXED"}
    run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    for run in trades.runs.order_by("id"):
        told = conservation(run)
        assert (told.unaccounted, told.states["in_review"]) == (0, 2 if run.business_date == DAY else 0)


def test_of_a_run_with_many_breaks_the_records_are_not_read(
    reconcile: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = reconcile([row("A", "1.00"), row("B")], [row("A", "-1.00")])
    few = conservation(run)
    monkeypatch.setattr("reconciliation.conservation.MANY", 2)
    with CaptureQueriesContext(connection) as asked:
        assert conservation(run) == few and few.states["in_review"] == 3
    (counted,) = (it["sql"] for it in asked if 'FROM "reconciliation_member"' in it["sql"])
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "nestloop"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {counted}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan using member_by_place" in plan, plan
