"""Files in and stored rows out by REST: for the right token, once, with a sentence for what is wrong."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from ingestion import lake
from ingestion.models import Delivery, Normalization
from reconciliation.models import Reconciliation, Run, Team
from review.api import trials
from review.tokens import make_token
from tests.conftest import HEADER, row
from tests.standing import standing_trades  # noqa: F401

BODY = f"{HEADER}\n{row('A')}\n{row('B')}\n".encode()


@pytest.fixture
def hand_in(trades: Reconciliation, person: Callable[[str], User], client: Client) -> Callable[..., Any]:
    """POST a file with a token of some scopes."""
    user = person("API client")

    def post(
        body: bytes = BODY,
        *,
        key: str = "k",
        scopes: tuple[str, ...] = ("deliver",),
        to: str = "deliveries",
        **given: str,
    ) -> Any:  # noqa: ANN401
        token = make_token(user=user, name=f"{key} {scopes} {len(body)} {to}"[:80], scopes=list(scopes))
        data = {"source": "left", "date": "2026-11-20", **given, "file": SimpleUploadedFile("left.csv", body)}
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": key}
        return client.post(f"/api/v1/{to}", data, headers=headers)

    return post


def test_a_file_is_taken_once(hand_in: Callable[..., Any]) -> None:
    first = hand_in()
    assert first.status_code == 201, first.content
    assert first.json()["normalizations"][0]["state"] == "ready"
    assert hand_in().json() == first.json()
    assert hand_in(BODY + b"C,2026-11-20,Acme,DE,1.00,EUR\n").status_code == 422  # the same key, another file
    assert hand_in(key="k2").status_code == 200  # the same bytes under another key
    assert (Delivery.objects.count(), Normalization.objects.count()) == (1, 1)
    large = BODY + b"x" * (3 << 20)  # of which Django makes a file of its own
    assert hand_in(large, key="k3").status_code == 201
    kept = Delivery.objects.latest("pk")
    assert kept.sha256 == hashlib.sha256(large).hexdigest() == lake.sha256_of(lake.local(kept.path))


def test_a_trial_holds_no_transaction_open_and_is_made_once(
    hand_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    look, depth, seen = trials._tried, len(connection.savepoint_ids), []

    def looked(*given: Any) -> Any:  # noqa: ANN401
        seen.append(len(connection.savepoint_ids) - depth)
        return look(*given)

    monkeypatch.setattr(trials, "_tried", looked)
    first = hand_in(to="delivery-trials")
    assert (first.status_code, first.json()["received"]) == (200, 2)
    assert hand_in(to="delivery-trials").json() == first.json() and seen == [0]
    assert hand_in(BODY + b"x", to="delivery-trials").status_code == 422 and seen == [0]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("given", "status", "sentence"),
    [
        ({"source": "nobody"}, 404, ""),
        ({"date": "yesterday"}, 400, "Date has wrong format"),
        ({"scopes": ("read",)}, 403, ""),
        ({"key": ""}, 400, "Idempotency-Key"),
        ({"sha256": "0" * 64}, 400, "Send the file again; nothing was taken."),
    ],
)
def test_what_is_wrong_is_said(hand_in: Callable[..., Any], given: dict[str, Any], status: int, sentence: str) -> None:
    answer = hand_in(**given)
    assert (answer.status_code, sentence in answer.content.decode()) == (status, True)
    assert not Delivery.objects.exists()


def test_another_teams_source_is_not_there(hand_in: Callable[..., Any], trades: Reconciliation) -> None:
    trades.team = Team.objects.create(code="others")
    trades.save()
    assert hand_in().status_code == 404


def test_stored_rows_are_read(
    reconcile: Callable[..., Run], person: Callable[[str], User], client: Client, trades: Reconciliation
) -> None:
    reconcile([row("A"), row("B", "5.00")], [row("A"), row("B", "5.00")])
    token = make_token(user=person("API client"), name="reader", scopes=["read"])
    headers = {"Authorization": f"Token {token}"}
    found = client.get("/api/v1/store/trade", headers=headers).json()["results"]
    assert [(it["id"], it["amount"], it["_version"]) for it in found] == [("B", "5.00", 1), ("A", "10.00", 1)]
    assert client.get("/api/v1/store/party", headers=headers).json()["results"][0]["name"] == "Acme"
    assert client.get("/api/v1/store/nothing", headers=headers).status_code == 404
    odd = client.get("/api/v1/store/trade?version=old", headers=headers)
    assert (odd.status_code, odd.json()) == (400, {"detail": "There is no version 'old'; there is all, current."})
    assert client.get("/api/v1/store/trade").status_code == 401
    assert client.post("/api/v1/store/trade", headers=headers).status_code in (403, 405)
    trades.team = Team.objects.create(code="others")
    trades.save()
    assert client.get("/api/v1/store/trade", headers=headers).status_code == 404


def test_both_stand_in_the_document(person: Callable[[str], User], client: Client) -> None:
    client.force_login(person("Analyst"))
    document = client.get("/api/schema/").content.decode()
    assert "/api/v1/deliveries" in document
    assert "/api/v1/store/{code}" in document
