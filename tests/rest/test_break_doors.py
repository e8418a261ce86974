"""What the page of a break does, a program does too: waive, confirm, withdraw, look at the gate, name people, count."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from reconciliation.models import Break, Reconciliation, Run
from review.decisions import decide
from review.tokens import make_token
from tests.conftest import row
from tests.standing import lake_folder, standing_trades  # noqa: F401

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(client: Client) -> Call:
    """Ask an address as a user with a token of a scope; a body makes it a POST. Gives status and answer."""
    sent: list[str] = []

    def ask(user: User, path: str, body: object = None, scope: str = "decide") -> tuple[int, Any]:
        sent.append(path)
        token = make_token(user=user, name="t", scopes=[scope, "read"])
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": str(len(sent))}
        address = f"/api/v1/{path}"
        answer = (
            client.get(address, headers=headers)
            if body is None
            else client.post(address, body, "application/json", headers=headers)
        )
        return answer.status_code, answer.json()

    return ask


@pytest.fixture(scope="module")
def run(standing: Callable[..., Run]) -> Run:
    """A record that differs, and one that a check holds."""
    return standing([row("A", "10.00"), row("B", "2000.00")], [row("A", "9.00"), row("B", "2000.00")])


@pytest.fixture
def proposal(run: Run, person: Callable[..., User]) -> int:
    """A proposal that waits for a second person."""
    Reconciliation.objects.update(four_eyes=True)
    return decide(brk=Break.objects.get(key="A"), action="approve", by=person("Analyst", "proposer")).pk


def test_a_proposal_is_confirmed_by_another(call: Call, proposal: int, person: Callable[..., User]) -> None:
    own, other = User.objects.get(username="proposer"), person("Supervisor")
    assert [it["id"] for it in call(other, "decisions?standing=proposed&by=others")[1]["results"]] == [proposal]
    assert call(own, "decisions?standing=proposed&by=others")[1]["results"] == []
    assert call(own, f"decisions/{proposal}/answers", {"action": "confirm"})[0] == 400
    status, told = call(other, f"decisions/{proposal}/answers", {"action": "confirm"})
    assert (status, told["state"], told["confirmed_by"]) == (201, "approved", "supervisor")
    status, told = call(other, f"decisions/{proposal}/answers", {"action": "withdraw"})
    assert status == 409 and "confirmed already" in told["detail"]


def test_a_proposal_whose_values_changed_is_void_and_says_what_changed(
    call: Call, proposal: int, person: Callable[..., User], reconcile: Callable[..., Run]
) -> None:
    reconcile([row("A", "12.00")], [row("A", "9.00")])
    told = call(person("Supervisor"), f"decisions/{proposal}")[1]
    assert (
        told["void_because"] == "The values changed since."
        and ["a", "amount", "10.00", "12.00"] in told["void_changes"]
    )
    found = call(User.objects.get(username="proposer"), f"decisions?standing=void&break={told['brk']}")[1]["results"]
    assert [it["id"] for it in found] == [proposal]


def test_a_manager_waives_a_check_that_the_gate_tells(call: Call, run: Run, person: Callable[..., User]) -> None:
    manager, brk = person("Manager"), Break.objects.get(key="B").pk
    gate = call(manager, f"breaks/{brk}/gate")[1]
    held = next(it for it in gate["conditions"] if it["condition"].startswith("check:"))
    assert (held["holds"], held["waived"], gate["confidence"]) == (False, None, "0.90000")
    asked = {"condition": held["condition"], "comment": "Agreed with the bank."}
    assert call(person("Analyst"), f"breaks/{brk}/waivers", asked)[0] == 403
    assert call(manager, f"breaks/{brk}/waivers", {**asked, "condition": "check:none"})[0] == 400
    assert call(manager, f"breaks/{brk}/waivers", asked)[0] == 201
    conditions = call(manager, f"breaks/{brk}/gate")[1]["conditions"]
    assert [it["waived"] for it in conditions if it["condition"] == held["condition"]] == [asked["comment"]]


def test_people_and_counts(call: Call, proposal: int, person: Callable[..., User]) -> None:
    analyst, brk = person("Analyst", "anna"), Break.objects.get(key="A").pk
    person("Auditor", "andrew")
    assert call(analyst, f"breaks/{brk}/assignees")[1] == {"people": ["anna", "proposer"]}
    assert call(analyst, f"breaks/{brk}/mentions?beginning=an")[1] == {"people": ["andrew", "anna"]}
    told = call(analyst, "breaks/counts?q=kind:differing")[1]
    assert told["total"] == 1 and {"by": "kind", "value": "differing", "count": 1} in told["facets"]
    status, told = call(analyst, "breaks/counts?q=knid:differing")
    assert status == 400 and "kind" in told["detail"]


def test_a_token_needs_the_scope(call: Call, run: Run, proposal: int, person: Callable[..., User]) -> None:
    for path in (
        f"decisions/{proposal}/answers",
        f"breaks/{Break.objects.get(key='A').pk}/waivers",
        f"runs/{run.pk}/cancel",
    ):
        assert call(person("Manager", path), path, {"action": "confirm"}, "read")[0] == 403, path
