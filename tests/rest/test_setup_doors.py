"""What the set-up pages do, a program does too: check, apply, export, propose and try definitions; try a file; look at history."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from attribution.models import Correction
from ingestion.models import AuditEvent, Delivery, RecordType
from reconciliation.models import Reconciliation, Run
from review.tokens import SCOPES, make_token
from tests.conftest import DAY, DEFINITION, HEADER, problems, row

Call = Callable[..., tuple[int, Any]]
LINES = "\n".join([HEADER, *(row(f"K{n}", f"{n}.00") for n in range(30))])


@pytest.fixture
def call(person: Callable[..., User], client: Client) -> Call:
    """Ask as an Administrator with a token of every scope; a body is sent as JSON, a body with a file as a form."""
    tokens: dict[str, str] = {}
    sent: list[str] = []

    def ask(path: str, body: dict[str, Any] | None = None, role: str = "Administrator") -> tuple[int, Any]:
        sent.append(path)
        if role not in tokens:
            tokens[role] = make_token(user=person(role), name="t", scopes=list(SCOPES))
        headers = {"Authorization": f"Token {tokens[role]}", "Idempotency-Key": str(len(sent))}
        if body is None:
            answer = client.get(f"/api/v1/{path}", headers=headers)
        elif any(isinstance(it, SimpleUploadedFile) for it in body.values()):
            answer = client.post(f"/api/v1/{path}", body, headers=headers)
        else:
            answer = client.post(f"/api/v1/{path}", json.dumps(body), "application/json", headers=headers)
        return answer.status_code, answer.json()

    return ask


def file(name: str, text: str = LINES) -> SimpleUploadedFile:
    """A file of a form."""
    return SimpleUploadedFile(name, text.encode())


def test_a_definition_is_checked_applied_and_given_back(call: Call) -> None:
    status, told = call("definition-checks", {"text": DEFINITION})
    assert status == 200 and "reconciliation trades: created" in told["changes"] and not RecordType.objects.exists()
    assert call("definitions", {"text": DEFINITION})[0] == 201
    assert [it["code"] for it in call("definitions")[1]] == ["trades"]
    text = call("definitions/trades")[1]["text"]
    assert call("definitions", {"text": text}) == (201, {"changes": []}) and problems() == []
    history = call(f"set-up-history/reconciliation/{Reconciliation.objects.get().pk}")[1]
    assert history["name"] == "reconciliation trades" and history["versions"][0]["by"] == "administrator"
    assert AuditEvent.objects.filter(action="setup.changed").exists()


def test_a_fault_has_its_place_and_changes_nothing(call: Call) -> None:
    status, told = call("definitions", {"text": DEFINITION.replace("amount: {column: amount}", "amuont: {column: x}")})
    assert status == 400 and told["faults"][0]["place"] == "sources.left.mapping.amuont"
    assert "did you mean" in told["faults"][0]["sentence"] and not RecordType.objects.exists()
    for name in ("../x.csv", "a\0b", "a/b", "", ".", "..", "x" * 201):
        assert call("definitions", {"text": "a: 1", "tables": {name: "x"}})[0] == 400
    assert call("definitions", {"text": DEFINITION}, "Analyst")[0] == 403


def test_two_files_become_a_definition_that_is_tried_applied_and_run(call: Call) -> None:
    status, told = call(
        "definition-suggestions", {"a": file("ours.csv"), "b": file("theirs.csv", LINES.replace("29.00", "28.00"))}
    )
    assert status == 200 and told["would_match"]["common"] == 30
    files = {"a": file("ours.csv"), "b": file("theirs.csv")}
    assert call("definition-trials", {**files, "definition": told["text"]})[1]["matched"] == 30
    assert call("definition-trials", {"a": file("a.csv"), "b": file("b.csv"), "definition": "a: 1"})[0] == 400
    assert not RecordType.objects.exists()
    assert call("definitions", {"text": told["text"]})[0] == 201
    assert [it["code"] for it in call("sources")[1]] and call("reconciliations")[1][0]["is_whole"]


def test_a_file_is_tried_and_nothing_is_kept(call: Call, trades: Reconciliation) -> None:
    text = f"{LINES}\nbroken\n{row('X', 'much')}\n"
    status, told = call(
        "delivery-trials", {"source": "left", "date": str(DAY), "file": file("left.csv", text)}, "API client"
    )
    assert status == 200 and (told["received"], told["quarantined"], told["flagged_values"]) == (32, 1, 1)
    assert told["beside"]["counts"]["added"] == 31 and told["flags"][0]["text"] == "much"
    assert not Delivery.objects.exists()
    assert call("delivery-trials", {"source": "left", "date": str(DAY), "file": file("x.csv", "a,b\n1,2\n")})[1][
        "error"
    ]


def test_the_dashboards_figures(call: Call, reconcile: Callable[..., Run]) -> None:
    assert call("figures?reconciliation=nothing")[0] == 404
    reconcile([row("A", "10.00")], [row("A", "-10.00")])
    told = call("figures?reconciliation=trades", role="Analyst")[1]
    assert told["figures"]["run"]["id"] == Run.objects.get().pk
    assert told["waiting"] == [{"kind": "differing", "age": "1d", "count": 1}]
    assert [it["state"] for it in call("arrivals")[1]] == ["run", "run"]
    assert {it["title"]: it["count"] for it in call("work", role="Analyst")[1]}["Assigned to me"] == 0
    assert "key" in call(f"export-columns?what=breaks&run={Run.objects.get().pk}")[1]["columns"]
    assert call("export-columns?what=breaks")[0] == 400


def test_labels_are_tried_and_imported(call: Call, reconcile: Callable[..., Run]) -> None:
    reconcile([row("A", "5.00"), row("B", "7.00")], [row("A", "-5.00"), row("B", "3.00")])
    first = {"reconciliation": "trades", "key": "A", "field": "amount", "reason": "SIGN_FLIP"}
    bad = [first | {"reason": "SIGNFLIP"}, first | {"key": "C"}, first | {"key": "B", "field": "amuont"}]
    status, told = call("label-imports", {"labels": [first | {"key": "B", "reason": "ACCRUAL_DIFF"}, *bad]}, "Manager")
    assert status == 400 and [it["label"] for it in told["faults"]] == [2, 3, 4]
    assert "did you mean 'SIGN_FLIP'" in told["faults"][0]["sentence"] and not Correction.objects.exists()
    done = {"written": 1, "known": 0, "kept": 0, "waiting": 0}
    assert call("label-imports", {"labels": [first], "dry_run": True}, "Manager") == (200, done)
    assert not Correction.objects.exists()
    assert call("label-imports", {"labels": [first], "name": "old system"}, "Manager") == (201, done)
    assert Correction.objects.get().confirmed_by == "manager"
    assert AuditEvent.objects.get(action="labels.imported").name == "old system" and problems() == []
    assert call("label-imports", {"labels": [first]}, "Analyst")[0] == 403
    assert call("label-imports", {"labels": []}, "Manager")[0] == 400
