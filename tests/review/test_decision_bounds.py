"""A decision asks the database a bounded number of times, whatever else stands there: fifty people decide at once."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from reconciliation.models import Break, Run
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

SAVEPOINTS = 2  # of the test's own transaction
BOUNDS = {"approve": 30, "reject": 21}


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Three breaks whose sign is turned."""
    return standing([row(key, "10.00") for key in "ABC"], [row(key, "-10.00") for key in "ABC"])


@pytest.mark.parametrize("action", BOUNDS)
def test_a_decision_keeps_to_its_bound(made: Run, action: str, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Supervisor"))
    first, second, third = (Break.objects.get(key=key) for key in "ABC")
    for brk in (first, second):  # the first one makes what later ones find: an engine, the sessions' times
        asked = _decide(client, brk, action)
    assert asked - SAVEPOINTS <= BOUNDS[action]
    third.refresh_from_db()
    assert third.state == Break.State.REVIEW


def _decide(client: Client, brk: Break, action: str) -> int:
    """How often a decision asks, beside the queue's list."""
    given, headers = {"action": action, "fingerprint": brk.fingerprint}, {"HX-Request": "true", "HX-Target": "preview"}
    with CaptureQueriesContext(connection) as asked:
        client.post(f"/breaks/{brk.pk}/decide/", given, headers=headers)
    brk.refresh_from_db()
    assert brk.state in (Break.State.APPROVED, Break.State.REJECTED)
    return len(asked)
