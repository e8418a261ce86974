"""Requests 61 to 70: each is answered by a sentence as JSON, nothing is done, and nothing fails."""

import gzip
import json
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.exceptions import ParseError

from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.models import Delivery, Receipt
from reconciliation.models import Break, Reconciliation, Run, Team
from review.api.parsing import ExactJson, RawJson, RawLines
from review.models import Decision
from review.tokens import make_token
from tests.conftest import DAY, DEFINITION, HEADER, problems, row

JSON, LINES = "application/json", "application/x-ndjson"
PUSH, SEAL = "sources/pushed/records", "sources/pushed/seal"
PUSHED = """  pushed: {record_type: trade, kind: push, mapping: *mapping}
reconciliations:
"""
Api = Callable[..., tuple[int, str]]


@pytest.fixture
def api(
    define: Callable[[str], object], reconcile: Callable[..., Run], person: Callable[[str], User], client: Client
) -> Api:
    """Send a request with a token of every scope; gives the status and what is said. Each POST has a key of its own."""
    define(DEFINITION.replace("reconciliations:\n", PUSHED))
    reconcile([row("A", "10.00")], [row("A", "-10.00")])
    token = make_token(user=person("API client"), name="t", scopes=["read", "deliver", "run", "decide"])
    sent = []

    def call(path: str, body: object = None, kind: str = JSON, **headers: str) -> tuple[int, str]:
        sent.append(path)
        given = {"Authorization": f"Token {token}", "Idempotency-Key": f"k{len(sent)}", **headers}
        address = f"/api/v1/{path.format(brk=Break.objects.get().pk)}"
        if body is None:
            answer = client.get(address, headers=given)
        elif isinstance(body, dict) and kind == "multipart":
            answer = client.post(address, body, headers=given)
        else:
            text = body if isinstance(body, str | bytes) else json.dumps(body)
            answer = client.post(address, text, kind, headers=given)
        assert answer["Content-Type"] == JSON
        return answer.status_code, json.dumps(answer.json(), ensure_ascii=False)

    return call


def hand_in(**more: object) -> dict[str, object]:
    """A form that delivers a file."""
    file = SimpleUploadedFile("left.csv", f"{HEADER}\n{row('B')}\n".encode())
    return {"source": "left", "date": str(DAY), "file": file, **more}


WIDE_DAY = "２０２６-１１-２０"
DECIDE = "breaks/{brk}/decisions"
CASES: dict[str, tuple[tuple[Any, ...], int, str]] = {
    "figures of nothing": (("figures",), 400, "This parameter is required."),
    "figures of what is not there": (("figures?reconciliation=gone",), 404, "No Reconciliation matches"),
    "40 a run of a date in full-width digits": (("runs", {"reconciliation": "trades", "date": WIDE_DAY}), 400, "Date has wrong format"),
    "40 a file of such a date": (("deliveries", hand_in(date=WIDE_DAY), "multipart"), 400, "Date has wrong format"),
    "40 runs of such a date": ((f"runs?date={WIDE_DAY}",), 400, "is no date such as 2026-11-20"),
    "40 a count in full-width digits": (("deliveries", hand_in(records="１"), "multipart"), 400, "A valid integer is required"),
    "40 an amount in full-width digits": (("breaks?q=amount>１０",), 400, "is no number"),
    "40 a value in full-width digits": ((DECIDE, {"action": "override", "reason": "FX_VARIANCE", "values": {"amount": "１０"}}), 400, "is no number such as"),
    "61 JSON where a form is taken": (("deliveries", {"source": "left"}), 415, "Unsupported media type"),
    "61 XML where JSON is taken": ((DECIDE, "<a/>", "application/xml"), 415, "Unsupported media type"),
    "61 text where records are pushed": ((PUSH, "A", "text/plain"), 415, "Unsupported media type"),
    "61 a form that is none": (("deliveries", "nonsense", "multipart/form-data"), 400, "Multipart form parse error"),
    "64 an array where an object is meant": ((DECIDE, [1]), 400, "Invalid data. Expected a dictionary"),
    "64 an array where a run is asked for": (("runs", []), 400, "Invalid data. Expected a dictionary"),
    "64 a text where sealing is asked for": ((SEAL, '"x"'), 400, "Invalid data. Expected a dictionary"),
    "64 an array of no objects": ((PUSH, [1]), 400, "Record 1 is no JSON object"),
    "65 an unknown field of a decision": ((DECIDE, {"action": "approve", "reson": "X"}), 400, "did you mean 'reason'?"),
    "65 an unknown field of a run": (("runs", {"reconciliation": "trades", "date": str(DAY), "x": 1}), 400, '"x"'),
    "65 an unknown field of a form": (("deliveries", hand_in(dat="x"), "multipart"), 400, "did you mean 'date'?"),
    "67 a page by its number": (("breaks?page=-1",), 400, "There is no parameter 'page' here"),
    "67 a huge page": (("breaks?limit=1000000000",), 400, "limit is '1000000000'; it is a number from 1 to 1000."),
    "67 no page": (("deliveries?limit=-1",), 400, "it is a number from 1 to 1000"),
    "67 a cursor that is none": (("runs?cursor=nonsense",), 404, "Invalid cursor"),
    "67 a page of ten": (("store/trade?limit=10",), 200, '"results"'),
    "68 a sort": (("breaks?ordering=-password",), 400, "There is no parameter 'ordering' here"),
    "68 a filter that is misspelt": (("breaks?stat=review",), 400, "did you mean 'state'?"),
    "68 a lookup into another table": (("runs?reconciliation__team=1",), 400, "There is no parameter"),
    "69 a parameter twice": (("breaks?state=review&state=passed",), 400, "The parameter 'state' stands 2 times"),
    "69 a key twice": (("journey?reconciliation=trades&key=A&key=B",), 400, "'key' stands 2 times"),
    "69 a date twice": ((f"{PUSH}?date={DAY}&date=2026-11-21", [{"id": "A"}]), 400, "'date' stands 2 times"),
}  # fmt: skip


def test_each_request_is_answered_by_a_sentence(api: Api) -> None:
    deliveries = Delivery.objects.count()
    for number, (request, status, sentence) in CASES.items():
        answered, said = api(*request)
        assert (number, answered, sentence in said) == (number, status, True), said
    assert not Decision.objects.exists() and not Receipt.objects.exists()
    assert (Delivery.objects.count(), Run.objects.count()) == (deliveries, 1)


def test_a_body_that_is_large_or_packed_is_refused_unread(api: Api) -> None:
    bomb = gzip.compress(b"[" + b" " * 10_000_000 + b"]")
    for path in ("deliveries", "runs", DECIDE, PUSH, SEAL):
        status, said = api(path, "{}", JSON, **{"Content-Length": str(100 << 20)})
        assert (status, "The body has more than 10 MB." in said) == (413, True)
        assert api(path, "{}", "multipart/form-data; boundary=x", **{"Content-Length": str(3 << 30)})[0] == 413
        assert api(path, bomb, JSON, **{"Content-Encoding": "gzip"})[0] == 415


def test_a_body_that_was_cut_is_refused() -> None:
    request = SimpleNamespace(META={"CONTENT_LENGTH": "40"})
    for parser in (RawLines(), RawJson(), ExactJson()):
        with pytest.raises(ParseError, match="The body was cut: 12 of 40 bytes arrived. Send it again."):
            parser.parse(BytesIO(b'{"id": "A"}\n'), None, {"request": request})


BAD_RECORDS = {
    '{"id": "P1", "amount": NaN}': "NaN is no number of JSON",
    '{"id": "P2", "id": "P3"}': "The key 'id' stands twice in one object",
    '{"id": "P4", "currency": "\\u0000"}': "It holds a NUL byte",
    '{"id": "P5", "currency": "\\ud800"}': "half of a character",
    '{"id": ""}': "The key (id) is blank.",
}


def test_a_pushed_record_that_is_none_is_followed_to_its_quarantine(api: Api) -> None:
    good = '{"id": "P0", "day": null, "party": null, "country": null, "amount": "1e400", "currency": "=1+1"}'
    status, said = api(f"{PUSH}?date={DAY}", "\n".join([good, *BAD_RECORDS]), LINES)
    assert status == 202
    assert api(SEAL, {"date": str(DAY)})[0] == 200
    work = normalize_delivery(plan_normalization(Delivery.objects.latest("pk")))
    assert (work.received, work.normalized, work.quarantined, work.flagged_values) == (6, 1, 5, 1)
    rows = json.loads(api(f"receipts/{json.loads(said)['receipt']}")[1])["rows"]
    assert [row["state"] for row in rows] == ["in_flight", *["quarantined"] * 5]
    assert all(part in row["reason"] for part, row in zip(BAD_RECORDS.values(), rows[1:], strict=True))
    assert problems() == []


def test_what_belongs_to_another_desk_is_not_there(api: Api, trades: Reconciliation) -> None:
    delivery, run = Delivery.objects.first(), Run.objects.get()
    assert delivery is not None
    trades.team = Team.objects.create(code="others")
    trades.save()
    for path in (f"deliveries/{delivery.pk}", f"runs/{run.pk}", f"runs/{run.pk}/summary", "breaks/{brk}"):
        assert api(path)[0] == 404
    for path, body, kind in ((DECIDE, {"action": "approve"}, JSON), ("deliveries", hand_in(), "multipart")):
        assert api(path, body, kind)[0] == 404
    assert not Decision.objects.exists()


def test_a_key_stands_for_one_body(api: Api) -> None:
    once = {"Idempotency-Key": "the same"}
    first = api(PUSH, [{"id": "A"}], JSON, **once)
    assert first[0] == 202 and api(PUSH, [{"id": "A"}], JSON, **once) == (200, first[1])
    assert api(PUSH, [{"id": "B"}], JSON, **once) == (
        422, '{"detail": "This Idempotency-Key was used for another push."}',
    )  # fmt: skip
    assert api("deliveries", hand_in(), "multipart", **once)[0] == 201
    other = hand_in(date="2026-11-21")
    assert api("deliveries", other, "multipart", **once)[0] == 422
