"""A run that is cancelled ends, keeps nothing of what a worker is at, and stands in nobody's way."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.pipeline import advance, run_to_end
from ingestion.deliveries import normalize_delivery
from ingestion.models import AuditEvent
from ingestion.work import LostClaim, claim, finish
from reconciliation.cancelling import CancelRefused, cancel_run
from reconciliation.models import Break, Reconciliation, Run, RunStep
from reconciliation.runs import inputs_of, start_run
from review.tokens import make_token
from tests.conftest import DAY, HEADER, problems, row

Deliver = Callable[..., object]


@pytest.fixture
def at_work(trades: Reconciliation, deliver: Deliver) -> Run:
    """A run whose ranges can be claimed."""
    for source, amount in (("left", "10.00"), ("right", "-10.00")):
        deliver(source, f"{HEADER}\n{row('A', amount)}\n")
    run = start_run(reconciliation=trades, business_date=DAY, by="test")
    advance(run)
    for work in inputs_of(run):
        normalize_delivery(work)
    advance(run)
    return run


def test_a_worker_loses_its_step_and_the_next_run_begins_anew(at_work: Run, trades: Reconciliation) -> None:
    step = claim(at_work.steps.filter(step=RunStep.Step.DIFF).first())  # type: ignore[arg-type]
    assert step is not None
    waiting = start_run(reconciliation=trades, business_date=DAY, by="test")
    ended = cancel_run(run=at_work, by="anna", comment="The wrong file.")
    assert (ended.shown_state, ended.cancelled_by) == ("Cancelled", "anna")
    assert (ended.state, ended.error) == (Run.State.FAILED, "Cancelled by anna. The wrong file.")
    with pytest.raises(LostClaim):
        finish(step)
    assert advance(ended) == [] and claim(step) is None
    with pytest.raises(CancelRefused, match="has ended already"):
        cancel_run(run=at_work, by="anna")
    assert run_to_end(waiting).state == Run.State.DONE
    assert Break.objects.get().state == Break.State.REVIEW and problems() == []
    assert AuditEvent.objects.filter(action="run.cancelled").count() == 1


def test_page_and_api_cancel(at_work: Run, person: Callable[..., User], client: Client, trades: Reconciliation) -> None:
    client.force_login(person("Auditor"))
    assert client.post(f"/runs/{at_work.pk}/cancel/").status_code == 403
    client.force_login(person("Analyst"))
    assert b'name="comment"' in client.get(f"/runs/{at_work.pk}/").content
    client.post(f"/runs/{at_work.pk}/cancel/", {"comment": "The wrong file."})
    page = client.get(f"/runs/{at_work.pk}/").content.decode()
    assert "Cancelled by analyst. The wrong file." in page and "Run this date again" in page
    for shown in (page, client.get("/runs/").content.decode(), client.get("/").content.decode()):
        assert "Cancelled</span>" in shown and "Failed</span>" not in shown
    listed = {state: len(client.get(f"/runs/?state={state}").context["runs"]) for state in ("cancelled", "failed")}
    assert listed == {"cancelled": 1, "failed": 0}
    waiting = start_run(reconciliation=trades, business_date=DAY, by="test")
    token = make_token(user=person("API client"), name="t", scopes=["run"])
    for key, status in (("1", 201), ("1", 201), ("2", 409)):
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": key}
        answer = client.post(f"/api/v1/runs/{waiting.pk}/cancel", "{}", "application/json", headers=headers)
        said = (answer.json().get("state"), answer.json().get("cancelled_by"))
        assert (answer.status_code, said) == (status, ("failed", "api_client") if status == 201 else (None, None))
