"""Who asks for a run that waits already is given that one; what else is asked for is another run."""

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client

from config.pipeline import run_to_end
from ingestion.changes import Change
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from review.tokens import make_token
from tests.conftest import DAY, DEFINITION, HEADER, problems, row


def test_the_same_run_asked_for_again_while_it_waits_is_one(
    trades: Reconciliation, deliver: Callable[..., object], define: Callable[[str], list[Change]], client: Client,
    person: Callable[[str], User],
) -> None:  # fmt: skip
    for source in ("left", "right"):
        deliver(source, f"{HEADER}\n{row('A')}\n")
    client.force_login(person("Analyst"))
    token = make_token(user=person("API client"), name="t", scopes=["run"])
    asked = iter(range(100))

    def page(day: dt.date = DAY) -> int:
        answer = client.post("/runs/", {"reconciliation": "trades", "date": f"{day}"})
        return int(answer.headers["Location"].split("/")[2])

    def api() -> int:
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": f"{next(asked)}"}
        body = {"reconciliation": "trades", "date": f"{DAY}"}
        return int(client.post("/api/v1/runs", body, "application/json", headers=headers).json()["id"])

    first, second = page(), page()
    assert Run.objects.get(pk=first).state == Run.State.RUNNING and first != second  # what has begun takes nothing more
    assert page() == api() == second
    other = page(DAY + dt.timedelta(days=1))
    define(DEFINITION.replace('max: "1000"', 'max: "2000"'))
    changed = api()
    assert len({first, second, other, changed}) == 4 == Run.objects.count()
    assert start_run(reconciliation=trades, business_date=DAY).pk not in (second, changed)  # each reconcile makes one
    deliver("left", f"{HEADER}\n{row('B')}\n")
    ended = run_to_end(Run.objects.get(pk=second))
    assert ended.report is not None and ended.report["sides"]["a"]["received"] == 1 and problems() == []
