"""The strip of a run: of a large one that has ended it may be seconds old, and says so; of any other it is of now."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reconciliation.models import Break, Run
from review.decisions import decide
from review.pages import strip
from tests.conftest import row


@pytest.fixture
def run(reconcile: Callable[..., Run], client: Client, person: Callable[[str], User]) -> Run:
    """A run with a break, and a Supervisor who is signed in."""
    client.force_login(person("Supervisor"))
    cache.clear()
    return reconcile([row("SIGN", "10.00"), row("SAME", "1.00")], [row("SIGN", "-10.00"), row("SAME", "1.00")])


def counts(client: Client, run: Run) -> dict[str, int]:
    """The strip's cells that hold rows, on the run's page."""
    return {it["title"]: it["rows"] for it in client.get(f"/runs/{run.pk}/").context["strip"]["cells"] if it["rows"]}


def test_a_small_run_is_counted_at_each_look(run: Run, client: Client, person: Callable[[str], User]) -> None:
    assert counts(client, run) == {"Stored": 2, "In review": 2}
    decide(brk=Break.objects.get(), action="reject", by=person("Manager"))
    assert counts(client, run) == {"Stored": 2, "Rejected": 2}
    assert "ago</span>" not in client.get(f"/runs/{run.pk}/").content.decode()


def test_a_large_run_is_counted_once_in_a_while_and_says_when(
    run: Run, client: Client, person: Callable[[str], User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strip, "LARGE", 4)
    before = counts(client, run)
    decide(brk=Break.objects.get(), action="reject", by=person("Manager"))
    with CaptureQueriesContext(connection) as asked:
        assert counts(client, run) == before
    assert not [it["sql"] for it in asked.captured_queries if "reconciliation_member" in it["sql"]]
    assert re.search(r"B 2, \d+ s ago</span>", client.get(f"/runs/{run.pk}/").content.decode())
    cache.clear()
    assert counts(client, run) == {"Stored": 2, "Rejected": 2}


def test_a_run_that_goes_on_is_counted_at_each_look(run: Run, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strip, "LARGE", 4)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING)
    assert counts(client, run) == counts(client, run) and cache.get(f"strip:{run.pk}") is None
