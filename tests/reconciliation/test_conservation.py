"""Every row of a run is in one state, however many episodes its key has had."""

import datetime as dt
from collections.abc import Callable

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
