"""Blind audits and gates through pages, API and commands: what they show, what they hide, what they refuse."""

import json
import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from attribution.guard import standing_of
from attribution.models import Attribution, AuditAnswer, Draw, GateStep
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.store.current import stored_versions
from review.audits import answer_audit, differences_of
from review.exports import export
from review.tokens import make_token
from tests.conftest import problems, row
from tests.standing import lake_folder  # noqa: F401

KEYS = [f"P{n}" for n in range(4)]
LEFT = [*(row(key, "10.25") for key in KEYS), *(row(f"H{n}", "10.00") for n in range(30))]
RIGHT = [*(row(key, "10.00") for key in KEYS), *(row(f"H{n}", "-10.00") for n in range(30))]


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> int:
    """Four audits, and three records of the calibration stream."""
    return standing(LEFT, RIGHT).pk


@pytest.fixture
def draw(made: int, db: None) -> Draw:
    """The first audit."""
    return Draw.objects.filter(purpose="audit").earliest("pk")


def named(draw: Draw, reason: str) -> dict[str, str]:
    """The form with one reason for each difference."""
    return {f"reason:{it.pk}": reason for it in differences_of(draw)}


def wrong(draws: list[Draw], *people: User) -> None:
    """Each finds each wrong."""
    for draw in draws:
        for by in people:
            answer_audit(draw=draw, by=by, reasons={it.pk: "SIGN_FLIP" for it in differences_of(draw)})


def test_a_person_audits_one_record_after_the_other(draw: Draw, client: Client, person: Callable[..., User]) -> None:
    client.force_login(ann := person("Analyst", "ann"))
    page = client.get(reverse("blind_audits")).content.decode()
    assert all(f">{key}</a>" in page for key in KEYS) and "4 wait for anybody" in page
    answer = client.post(reverse("answer_audit", args=[draw.pk]), named(draw, "ROUNDING_DIFF") | {"comment": "seen"})
    following = Draw.objects.filter(purpose="audit", pk__gt=draw.pk).earliest("pk")
    assert answer.headers["Location"] == reverse("blind_audit", args=[following.pk])
    page = client.get(answer.headers["Location"]).content.decode()
    assert f"{draw.brk.key}: the pass was right. Your reasons are labels now." in page
    assert AuditAnswer.objects.get().comment == "seen"
    page = client.get(reverse("blind_audits")).content.decode()
    assert "amount ROUNDING_DIFF" in page and "3 wait for anybody" in page
    again = client.get(reverse("blind_audit", args=[draw.pk]), follow=True).content.decode()
    assert "This audit is settled, or you know the record." in again
    assert standing_of(draw.run.reconciliation).answers == 1 and ann.audit_answers.count() == 1
    assert problems() == []


def test_the_page_shows_values_and_nothing_of_why_it_passed(
    draw: Draw, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Analyst"))
    page = re.sub("<[^>]+>", "", client.get(reverse("blind_audit", args=[draw.pk])).content.decode())
    said = Attribution.objects.get(difference__brk=draw.brk)
    evidence = said.candidates.all()[0].evidence
    assert "10.00" in page and "10.25" in page and evidence and evidence not in page
    assert "95 %" not in page and "prover" not in page and "confidence" not in page.lower()
    refused = client.post(reverse("answer_audit", args=[draw.pk]), {}).content.decode()
    assert "Choose a reason for amount." in refused and not AuditAnswer.objects.exists()


def test_the_second_person_sees_what_the_first_saw(draw: Draw, client: Client, person: Callable[..., User]) -> None:
    ann, bob = person("Analyst", "ann"), person("Supervisor", "bob")
    client.force_login(bob)
    before = client.get(reverse("blind_audits")).content.decode()
    client.force_login(ann)
    first = client.post(reverse("answer_audit", args=[draw.pk]), named(draw, "SIGN_FLIP"), follow=True)
    assert "another person is asked before this counts." in first.content.decode()
    assert f'/blind-audits/{draw.pk}/"' not in client.get(reverse("blind_audits")).content.decode()
    client.force_login(bob)

    def rows(text: str) -> str:
        return text[text.index("<tbody>") :]

    assert rows(client.get(reverse("blind_audits")).content.decode()) == rows(before)
    second = client.post(reverse("answer_audit", args=[draw.pk]), named(draw, "SIGN_FLIP"), follow=True)
    assert "the pass was wrong, two people say. The record is in the queue again" in second.content.decode()
    page = client.get(reverse("break", args=[draw.brk_id])).content.decode()
    assert "Two people who did not know why it passed" in page
    assert "override stores a corrected version, reject takes it out." in page
    client.post(reverse("decide", args=[draw.brk_id]), {"action": "reject"}, follow=True)
    assert Break.objects.get(pk=draw.brk_id).state == "rejected"
    versions = stored_versions(draw.brk.reconciliation.record_type, draw.brk.key)
    assert [it["_valid_to"] is None for it in versions] == [False]
    assert problems() == []


def test_a_program_rejects_a_wrong_pass(draw: Draw, person: Callable[..., User], api: Callable[..., Any]) -> None:
    wrong([draw], person("Analyst", "ann"), person("Supervisor", "cy"))
    answer = api("bob", f"breaks/{draw.brk_id}/decisions", {"action": "reject"})
    assert (answer.status_code, Break.objects.get(pk=draw.brk_id).state) == (201, "rejected")
    versions = stored_versions(draw.brk.reconciliation.record_type, draw.brk.key)
    assert [it["_valid_to"] is None for it in versions] == [False]


def test_who_cannot_tell_says_so_by_page_program_and_command(
    draw: Draw, client: Client, person: Callable[..., User], api: Callable[..., Any]
) -> None:
    ann, address = person("Analyst", "ann"), reverse("answer_audit", args=[draw.pk])
    client.force_login(ann)
    assert "I cannot tell" in client.get(reverse("blind_audit", args=[draw.pk])).content.decode()
    page = client.post(address, {"cannot_tell": "1", "comment": "no idea"}, follow=True).content.decode()
    assert "another person is asked before this counts." in page
    both = {"reasons": {"amount": "SIGN_FLIP"}, "cannot_tell": True}
    assert "not both" in api("bob", f"blind-audits/{draw.pk}/answers", both).json()["detail"]
    ended = api("bob", f"blind-audits/{draw.pk}/answers", {"cannot_tell": True}).json()
    assert (ended["functional"], ended["counts"]) == (None, True)
    assert "two people cannot tell why it passed, which counts as wrong. The record is in the queue" in ended["detail"]
    page = client.get(reverse("blind_audits")).content.decode()
    assert "nobody could tell" in page
    page = client.get(reverse("journey"), {"reconciliation": "trades", "key": draw.brk.key}).content.decode()
    assert "Blind audit: nobody can tell its cause" in page
    out = StringIO()
    call_command("audits", "trades", user="ann", answer="P3", cannot_tell=True, stdout=out)
    assert "another person is asked" in out.getvalue()
    with pytest.raises(CommandError, match="not both"):
        call_command("audits", "trades", user="bob", answer="P3", cannot_tell=True, reason=["amount=SIGN_FLIP"])
    assert problems() == []


def test_who_only_reads_sees_what_was_settled(draw: Draw, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Auditor"))
    page = client.get(reverse("blind_audits")).content.decode()
    assert "Analysts, Supervisors and Managers audit." in page and f"/blind-audits/{draw.pk}/" not in page


def test_the_calibration_stream_is_seen_nowhere(
    draw: Draw, client: Client, person: Callable[..., User], tmp_path: Path
) -> None:
    stream = Draw.objects.filter(purpose="calibration")
    assert stream.count() == 3
    client.force_login(manager := person("Manager"))
    token = make_token(user=manager, name="reader", scopes=["read", "decide"])
    call = {"headers": {"Authorization": f"Token {token}"}}
    for it in stream:
        assert client.get(reverse("blind_audit", args=[it.pk])).status_code == 404
        assert client.post(reverse("answer_audit", args=[it.pk]), {}).status_code == 404
        assert client.get(f"/api/v1/blind-audits/{it.pk}", **call).status_code == 404
    assert {it["key"] for it in client.get("/api/v1/blind-audits", **call).json()["results"]} == set(KEYS)
    inside, outside = stream[0].brk, Break.objects.filter(state="review", draws=None)[0]
    for address in ("/breaks/{}/", "/api/v1/breaks/{}"):
        shown = [
            client.get(address.format(it.pk), **call).content.decode().replace(it.key, "KEY").replace(str(it.pk), "PK")
            for it in (inside, outside)
        ]
        assert "calibration" not in shown[0].replace("Calibration error", "").lower()
        assert len(shown[0]) - len(shown[1]) in range(-60, 60)
    for what in ("breaks", "differences", "records"):
        file = tmp_path / f"{what}.csv"
        export(what, draw.run, file)
        assert "calibration" not in file.read_text() and "audit" not in file.read_text()


@pytest.fixture
def api(client: Client, person: Callable[..., User], made: int) -> Iterator[Callable[..., object]]:
    """Call the API as a person: (name, method, address, body)."""
    tokens: dict[str, str] = {}

    def call(name: str, address: str, body: object = None, role: str = "Analyst") -> object:
        if name not in tokens:
            tokens[name] = make_token(user=person(role, name), name=name, scopes=["read", "decide"])
        headers = {"Authorization": f"Token {tokens[name]}", "Idempotency-Key": f"{name} {address} {body}"}
        if body is None:
            return client.get(f"/api/v1/{address}", headers=headers)
        return client.post(f"/api/v1/{address}", json.dumps(body), content_type="application/json", headers=headers)

    return call


def test_a_program_of_a_person_audits_by_rest(api: Callable[..., object], draw: Draw) -> None:
    found = api("ann", f"blind-audits/{draw.pk}").json()
    assert (found["key"], found["reconciliation"]) == (draw.brk.key, "trades")
    assert [(it["field"], it["value_a"], it["value_b"]) for it in found["differences"]] == [
        ("amount", "10.25", "10.00")
    ]
    assert [it["side"] for it in found["rows"]] == ["a", "b"]
    assert not {"reason", "confidence", "proof", "attribution", "probability", "score"} & set(
        json.dumps(found).split('"')
    )
    address = f"blind-audits/{draw.pk}/answers"
    for body, sentence in (
        ({"reasons": {"amuont": "SIGN_FLIP"}}, "amuont does not differ. There is amount."),
        ({"reasons": {"amount": "NONE"}}, "There is no active reason 'NONE' for amount"),
        ({"reasons": {}}, "No reason is given for amount"),
    ):
        refused = api("ann", address, body)
        assert refused.status_code == 400 and sentence in refused.json()["detail"]
    assert api("ann", address, {"reasons": {"amount": "SIGN_FLIP"}}).json()["counts"] is False
    assert api("ann", f"blind-audits/{draw.pk}").status_code == 404
    said = api("bob", address, {"reasons": {"amount": "SIGN_FLIP"}})
    assert (said.status_code, said.json()["functional"], said.json()["counts"]) == (201, False, True)
    assert api("program", address, {"reasons": {}}, "API client").status_code == 403
    assert api("program", "blind-audits").json()["results"] == []


def test_a_gate_closes_and_is_opened_by_rest_and_command(
    api: Callable[..., object], draw: Draw, person: Callable[..., User]
) -> None:
    found = api("ann", "gates/trades").json()
    assert (found["state"], found["bound"], found["waiting"], found["step"]) == ("open", "0.100", 4, None)
    wrong(list(Draw.objects.filter(purpose="audit"))[:2], person("Analyst", "carl"), person("Analyst", "dora"))
    (found,) = api("ann", "gates").json()
    assert (found["state"], found["bound"]) == ("closed", None)
    assert found["step"]["because"].startswith("2 of 2 audited records")
    assert api("ann", "gates/trades/reopen", {"comment": "now"}).status_code == 403
    refused = api("boss", "gates/trades/reopen", {"comment": "now"}, "Manager")
    assert refused.status_code == 409 and "Nothing changed since" in refused.json()["detail"]
    assert "Gate closed: closed, nothing passes" in told("models", "trades")
    with pytest.raises(CommandError, match="Nothing changed since"):
        told("gate", "trades", reopen=True, comment="now")
    trades = Reconciliation.objects.get()
    trades.rules["gate"]["confidence"] = "0.97"
    trades.save()
    assert api("boss", "gates/trades/reopen", {"comment": "surer"}).json()["state"] == "open"
    assert "Reopened" in told("gate", "trades") and "by boss: surer" in told("gate", "trades")
    assert GateStep.objects.count() == 2


def told(*words: str, **options: object) -> str:
    """What a command says."""
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def test_a_command_lists_audits_and_answers_one(draw: Draw, person: Callable[..., User]) -> None:
    person("Analyst", "ann")
    lines = told("audits", "trades", user="ann")
    assert lines.splitlines()[0] == f"{draw.brk.key}  2026-11-20  amount: 10.25 / 10.00"
    for given, sentence in (
        ({"answer": "NONE"}, "No audit of 'NONE' waits for ann"),
        ({"answer": draw.brk.key, "reason": ["x=SIGN_FLIP"]}, "x does not differ. There is amount."),
        ({"answer": draw.brk.key}, "No reason is given for amount"),
    ):
        with pytest.raises(CommandError, match=sentence):
            told("audits", "trades", user="ann", **given)
    said = told("audits", "trades", user="ann", answer=draw.brk.key, reason=["amount=TIMING_LAG"])
    assert said == f"{draw.brk.key}: the pass was right. Your reasons are labels now.\n"
    assert len(told("audits", "trades", user="ann").splitlines()) == 3


def test_gates_are_shown_and_opened_by_a_manager_alone(made: int, client: Client, person: Callable[..., User]) -> None:
    trades = Reconciliation.objects.get(code="trades")
    client.force_login(person("Auditor", "una"))
    page = client.get(reverse("gates")).content.decode()
    assert "at most 10 %" in page and ">4</a>" in page
    GateStep.objects.create(
        reconciliation=trades, number=1, kind="trip", broken="0.10", evidence=21, answers=9, wrong=6,
        because="6 of 9 audits found errors.", at=timezone.now(),
    )  # fmt: skip
    page = client.get(reverse("gates")).content.decode()
    assert "nothing passes without a person" in page and "6 of 9 audits" in page and "Open the gate" not in page
    address = reverse("reopen_gate", args=["trades"])
    assert client.post(address, {"comment": "mended"}).status_code == 403
    client.force_login(person("Manager", "mia"))
    assert "Nothing changed since" in client.post(address, {"comment": "mended"}, follow=True).content.decode()
    trades.rules = {**trades.rules, "gate": {"confidence": "0.95"}}
    trades.save(update_fields=["rules"])
    assert "from the next run on" in client.post(address, {"comment": "mended"}, follow=True).content.decode()
    assert GateStep.objects.latest("pk").by == "mia"
