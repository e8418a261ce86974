"""The API's document is whole, and its lists narrow as the document says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from reconciliation.models import Run
from review.tokens import make_token
from tests.conftest import row
from tests.standing import standing_trades  # noqa: F401


@pytest.fixture
def get(person: Callable[[str], User], client: Client) -> Callable[[str], object]:
    """Read an address with a token."""
    token = make_token(user=person("API client"), name="reader", scopes=["read"])
    return lambda address: client.get(address, headers={"Authorization": f"Token {token}"})


def test_the_document_has_no_warning_and_every_post_has_a_key(tmp_path: Path) -> None:
    target = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    text = target.read_text(encoding="utf-8")
    assert text.count("    post:\n") == text.count("name: Idempotency-Key") > 0


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("runs?reconciliation=trades", 1), ("runs?reconciliation=other", 0), ("runs/?date=2026-11-20&state=done", 1),
        ("breaks/?run={run}", 2), ("breaks?key=L", 1), ("breaks?kind=differing&state=review", 1), ("store/trade/", 1),
    ],
)  # fmt: skip
def test_a_list_is_narrowed(
    get: Callable[[str], object], reconcile: Callable[..., Run], address: str, found: int
) -> None:
    run = reconcile([row("A"), row("U"), row("L")], [row("A"), row("U", "77.31")])
    answer = get(f"/api/v1/{address.format(run=run.pk)}")
    assert len(answer.json()["results"]) == found


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("runs?date=soon", 400), ("breaks?run=x", 400), ("journey?reconciliation=trades", 400), ("nothing", 404),
        ("journey/?reconciliation=trades&key=A", 404), ("journey?reconciliation=nothing&key=A", 404),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_as_json(
    get: Callable[[str], object], trades: object, address: str, status: int
) -> None:
    answer = get(f"/api/v1/{address}")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
