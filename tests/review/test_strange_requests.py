"""Requests that no browser sends: each is answered by a sentence, nothing is done, and nothing fails."""

import re
from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from reconciliation.models import Break, Run
from review.models import Decision
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

KEY = {"Idempotency-Key": "k"}
NUMBER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DIGITS = "9" * 5000  # more than Python turns into a number


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """A turned sign."""
    return standing([row("A", "10.00")], [row("A", "-10.00")])


@pytest.fixture
def brk(made: Run, client: Client, person: Callable[[str], User]) -> Break:
    """A break in review, and a Manager who is signed in and staff."""
    manager = person("Manager")
    User.objects.update(is_staff=True)
    client.force_login(manager)
    return Break.objects.get()


def test_json_that_says_two_things_or_nothing_is_refused(brk: Break, client: Client) -> None:
    bodies = {
        "[" * 100_000: "nested too deeply",
        '{"a":' * 50_000: "nested too deeply",
        '{"action": "approve", "action": "reject"}': "a name stands twice in one object",
        '{"action": "\\ud800"}': "surrogates not allowed",
        '{"action": NaN}': "not JSON compliant",
        '{"action": "approve"': "JSON parse error",
    }
    for url in (f"/api/v1/breaks/{brk.pk}/decisions", "/api/v1/runs"):
        for body, says in bodies.items():
            answer = client.post(url, body, "application/json", headers=KEY)
            assert answer.status_code == 400 and says in answer.json()["detail"], (url, body[:40])
    assert not Decision.objects.exists()


def test_an_address_with_a_nul_is_refused_by_a_sentence(brk: Break, client: Client) -> None:
    for url in (
        "/queue/?kind=%00",
        "/queue/?key=a%00b",
        "/journey/?key=%00",
        "/admin/reconciliation/run/?q=%00",
        "/?%00=1",
    ):
        answer = client.get(url)
        assert answer.status_code == 400 and "The address holds a NUL character" in answer.content.decode(), url
    answer = client.get("/api/v1/breaks?state=%00")
    assert answer.status_code == 400 and answer.json() == {
        "detail": "The address holds a NUL character. Take it out and try again."
    }
    assert client.get("/queue/?key=%2500").status_code == 200


@pytest.mark.parametrize("number", ["²", "٣", "-1", "1e9", "x", DIGITS, ""])
def test_what_is_no_number_finds_nothing(brk: Break, client: Client, number: str) -> None:
    assert client.get("/runs/", {"before": number, "run": number}).status_code == 200
    queue = client.get("/queue/", {"run": number})
    assert (queue.status_code, len(queue.context["rows"])) == ((400, 0) if number else (200, 1))
    given = {"action": "approve", "member": number, "fingerprint": "of other values", "proposal": number}
    assert client.post(reverse("decide", args=[brk.pk]), given).status_code == 302
    assert client.post(reverse("admin:reconciliation_break_confirm", args=[brk.pk]), given).status_code == 404
    assert client.get(f"/admin/reconciliation/break/{number or 0}/change/").status_code == 404
    assert Break.objects.get().state == "review"


def test_what_no_list_offers_is_no_fault(brk: Break, client: Client) -> None:
    for query in ("business_date__year=0", "business_date__iso_year__gte=99999999", "started_at__year=x"):
        assert client.get(f"/admin/reconciliation/run/?{query}").status_code == 400
    assert client.post(reverse("runs"), {"reconciliation": "\0", "date": "2026-11-20"}).status_code == 404
    assert client.get("/api/v1/journey?reconciliation=trades&key=nobody").status_code == 404
    assert client.get("/api/v1/journey?reconciliation=trades&key=A").status_code == 200


def test_a_form_from_another_site_and_one_of_an_older_page_do_nothing(brk: Break, client: Client) -> None:
    guarded = Client(enforce_csrf_checks=True)
    guarded.cookies = client.cookies
    assert guarded.post(reverse("decide", args=[brk.pk]), {"action": "approve"}).status_code == 403
    url = f"/api/v1/breaks/{brk.pk}/decisions"
    assert guarded.post(url, {"action": "approve"}, "application/json", headers=KEY).status_code == 403
    stale = {"action": "approve", "fingerprint": "of other values"}
    assert (
        "The values changed since" in client.post(reverse("decide", args=[brk.pk]), stale, follow=True).content.decode()
    )
    assert client.post(url, stale, "application/json", headers=KEY).status_code == 409
    assert not Decision.objects.exists()


def test_nobody_is_sent_to_another_site(client: Client, person: Callable[[str], User]) -> None:
    person("Analyst")
    given = {"username": "analyst", "password": "secret-of-a-test"}
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\thttps://evil.example",
    ):
        answer = client.post("/sign-in/", {**given, "next": elsewhere})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/"), elsewhere
        client.logout()


@pytest.mark.parametrize("place", ["api", "page"])
def test_a_database_that_is_away_passes(
    brk: Break, client: Client, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, deadlock = OperationalError("the connection is closed"), OperationalError("deadlock detected")
    deadlock.__cause__ = psycopg.errors.DeadlockDetected()

    for error, status in ((away, 503), (deadlock, 500), (InterfaceError("connection already closed"), 503)):
        monkeypatch.setattr("review.api.vocabulary.ReasonsView.get", _raising(error))
        monkeypatch.setattr("review.pages.search.render", _raising(error))
        client.raise_request_exception = False
        answer = client.get("/api/v1/reasons" if place == "api" else "/search/?q=A")
        assert (answer.status_code, answer.headers.get("Retry-After")) == (status, "5" if status == 503 else None)
        assert ("The database does not answer just now." in answer.content.decode()) == (status == 503)
        heading = "Tieout will be back in a moment" if status == 503 else "Something failed"
        assert (f"<h1>{heading}</h1>" in answer.content.decode()) == (place == "page")


def _raising(error: Exception) -> Callable[..., None]:
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


@pytest.mark.parametrize("place", ["api", "page"])
def test_a_fault_of_ours_has_a_number_that_the_log_has(
    brk: Break, client: Client, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("review.api.vocabulary.ReasonsView.get", fails)
    monkeypatch.setattr("review.pages.search.render", fails)
    client.raise_request_exception = False
    answer = client.get("/api/v1/reasons" if place == "api" else "/search/?q=A")
    text = answer.content.decode()
    assert answer.status_code == 500 and "secret" not in text and "Nothing was half-done" in text
    number = NUMBER.search(text)
    assert number and f"Failure {number[0]} at GET" in caplog.text and "a secret of the inside" in caplog.text
    if place == "api":
        assert answer.json()["failure"] == number[0]
