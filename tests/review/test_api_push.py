"""Records pushed by programs: kept at once under a receipt, gathered, sealed, and followed to their outcome."""

import datetime as dt
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from config.pipeline import run_to_end
from config.tasks import seal_pushes
from ingestion import lake
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import Delivery, OpenDelivery, Receipt, Source
from ingestion.push import PushRefused, lines_of, seal_open
from reconciliation.models import Reconciliation
from reconciliation.runs import start_run
from review.api.push import RIGHTS_SECONDS
from review.tokens import make_token
from tests.conftest import DAY, DEFINITION, HEADER, Deliver, row
from tests.standing import standing_trades  # noqa: F401
from tests.test_straight_path import problems

RECORDS = "/api/v1/sources/left/records"
Post = Callable[..., Any]


def record(key: str, amount: str = "10.00") -> dict[str, str]:
    """A record of side A."""
    return {"id": key, "day": "2026-11-20", "party": "Acme", "country": "DE", "amount": amount, "currency": "EUR"}


@pytest.fixture
def trades(define: Callable[[str], object]) -> Reconciliation:
    """Side A is pushed."""
    define(DEFINITION.replace("  left:\n", "  left:\n    kind: push\n"))
    return Reconciliation.objects.get()


@pytest.fixture
def post(trades: Reconciliation, person: Callable[[str], User], client: Client) -> Post:
    """POST a body with a token."""
    token = make_token(user=person("API client"), name="t", scopes=["deliver"])

    def call(body: Any, key: str = "k", path: str = f"{RECORDS}?date={DAY}", kind: str = "application/json") -> Any:  # noqa: ANN401
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return client.post(
            path, text, content_type=kind, headers={"Authorization": f"Token {token}", "Idempotency-Key": key}
        )

    return call


def test_a_push_is_kept_once(post: Post) -> None:
    first = post([record("A"), record("B")])
    assert first.status_code == 202, first.content
    assert (first.json()["first"], first.json()["records"], first.json()["sealed"]) == (1, 2, False)
    again = post([record("A"), record("B")])
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])
    assert post([record("C")]).status_code == 422  # the same key for another push
    assert post([record("C")], "k2").json()["first"] == 3
    assert Receipt.objects.count() == 2


def test_a_receipt_says_why_its_delivery_could_not_be_read(post: Post, client: Client) -> None:
    token = make_token(user=User.objects.get(), name="r", scopes=["read"])
    receipt = post([{"id": "A"}, {"id": "B"}]).json()["receipt"]
    delivery = seal_open(OpenDelivery.objects.get())
    with pytest.raises(IngestionError):
        normalize_delivery(plan_normalization(delivery))

    told = client.get(f"/api/v1/receipts/{receipt}", headers={"Authorization": f"Token {token}"}).json()

    assert told["states"] == {"in_flight": 2}
    assert told["rows"][1]["reason"].startswith(f"Delivery {delivery.pk} could not be read: ")


def test_lines_are_taken_as_they_were_written(post: Post) -> None:
    body = '{"id": "A", "day": "2026-11-20", "party": "Acme", "country": "DE", "amount": 10.10, "currency": "EUR"}\n\n'
    body = body.replace('"A"', "9" * 5000)  # more digits than an integer is read with
    assert post(body, kind="application/x-ndjson").status_code == 202
    opened = OpenDelivery.objects.get()
    assert lake.local(seal_open(opened).path).read_text() == body[:-1]
    assert Receipt.objects.get().lines == ""  # the lake has them


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "holds no record"),
        ("[]", "holds no record"),
        ("[1]", "Record 1 is no JSON object"),
        ('[{"id": "A"}, {"id": ]', "Record 2 is no JSON"),
        ('[{"id": "A"} {"id": "B"}]', "After record 1 the array is neither continued by a comma nor closed"),
        ('[{"id": "A"}', "neither continued by a comma nor closed"),
        ('[{"id": "A"}] x', "something follows it"),
        ('{"id": "A"}\nnonsense', "Record 2 is no JSON object"),
        (b'{"id": "\xff"}', "is no UTF-8: byte 9"),
        ('{"id": ' + "[" * 100_000, "Record 1 is no JSON"),
        ("[" + ",".join(['{"id": "A"}'] * 10_001) + "]", "at most 10,000 records"),
    ],
)
def test_nothing_of_a_bad_push_is_taken(post: Post, body: str | bytes, sentence: str) -> None:
    answer = post(body)
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]
    assert not Receipt.objects.exists()


def test_a_push_needs_its_right_and_its_kind(post: Post, client: Client, person: Callable[[str], User]) -> None:
    assert post([record("A")], path="/api/v1/sources/nobody/records").status_code == 404
    assert (
        "Records are pushed to a source of kind push"
        in post([record("A")], path="/api/v1/sources/right/records").json()["detail"]
    )
    assert post([record("A")], key="").status_code == 400
    assert post([record("A")], path=f"{RECORDS}?date=yesterday").status_code == 400
    client.force_login(person("Auditor"))
    answer = client.post(RECORDS, "[]", content_type="application/json", headers={"Idempotency-Key": "x"})
    assert answer.status_code == 403


def test_a_receipt_follows_each_record_to_its_outcome(
    post: Post, client: Client, deliver: Deliver, trades: Reconciliation
) -> None:
    receipt = post([record("A"), record("B", "99.00"), {"id": "", "amount": "1.00"}, record("D")]).json()["receipt"]
    assert _follow(client, receipt)["states"] == {"in_flight": 4}
    sealed = post({"date": str(DAY)}, "seal", "/api/v1/sources/left/seal")
    assert sealed.status_code == 200, sealed.content
    normalize_delivery(plan_normalization(Delivery.objects.get(pk=sealed.json()[0]["delivery"])))
    deliver("right", "\n".join([HEADER, row("A"), row("B", "98.00")]) + "\n", DAY)
    run_to_end(start_run(reconciliation=trades, business_date=DAY))
    told = _follow(client, receipt)
    assert [it["state"] for it in told["rows"]] == ["stored", "in_review", "quarantined", "in_review"]
    assert [it["key"] for it in told["rows"]] == ["A", "B", "", "D"]
    assert problems() == []


def _follow(client: Client, receipt: int) -> Any:  # noqa: ANN401
    client.force_login(User.objects.get())
    return client.get(f"/api/v1/receipts/{receipt}").json()


def test_pushes_are_sealed_at_a_count_and_after_a_time(post: Post) -> None:
    post([record("A")])
    seal_pushes()
    assert OpenDelivery.objects.get().sealed_at is None
    OpenDelivery.objects.update(opened_at=timezone.now() - dt.timedelta(seconds=901))
    seal_pushes()
    assert OpenDelivery.objects.get().delivery is not None
    Source.objects.filter(code="left").update(connection={"count": 2})
    assert post([record("B")], "k2").json()["first"] == 1  # another open delivery
    post([record("C")], "k3")
    seal_pushes()
    assert [it.delivery is not None for it in OpenDelivery.objects.all()] == [True, True]


def test_a_sealing_that_was_interrupted_is_done_again(post: Post) -> None:
    post([record("A")])
    OpenDelivery.objects.update(sealed_at=timezone.now())  # killed before the bytes were in the lake
    assert post([record("B")], "k2").json()["first"] == 1
    seal_pushes()
    assert [it.delivery is not None for it in OpenDelivery.objects.order_by("id")] == [True, False]


def test_a_receipt_that_is_gone_is_named(post: Post) -> None:
    post([record("A")])
    post([record("B")], "k2")
    assert problems() == []
    Receipt.objects.last().delete()  # type: ignore[union-attr]
    assert problems() == [
        f"Open delivery {OpenDelivery.objects.get().pk} took 2 records; receipts hold 1, its delivery None."
    ]


def test_numbers_keep_every_digit() -> None:
    assert lines_of(b'[{"a": 1.10},\n {"a":\n 12345678901234567890.123}]') == [
        '{"a": 1.10}',
        '{"a":  12345678901234567890.123}',
    ]
    with pytest.raises(PushRefused, match="Record 1 is no JSON"):
        lines_of(b'[{"a": "line\nbreak"}]')


def test_a_right_that_is_taken_away_ends_within_seconds(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    assert post([record("A")]).status_code == 202
    User.objects.get(api_tokens__name="t").groups.clear()
    later = time.monotonic() + RIGHTS_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert post([record("B")], key="l").status_code == 403
