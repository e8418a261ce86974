"""Pages and API: behind login, scoped, bounded, and doing what they say."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from ingestion.models import Normalization
from reconciliation.models import Break, Reconciliation, Run, Team
from reconciliation.runs import advance_run, start_run
from review.tokens import make_token
from tests.conftest import DAY, HEADER, row
from tests.standing import lake_folder  # noqa: F401


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> int:
    """A run with some of everything."""
    left = [
        row("A", "10.00"),
        row("B", "10.25"),
        row("<script>", "7.00"),
        row("D"),
        row("D"),
        row("G", "5000.00"),
        "x,y",
    ]
    right = [row("A", "-10.00"), row("B", "10.00"), row("<script>", "-7.00"), row("E"), row("G", "5000.00")]
    return standing(left, right).pk


@pytest.fixture
def run(made: int, db: None) -> Run:
    """That run, for one test."""
    return Run.objects.get(pk=made)


PAGES = ["dashboard", "queue", "runs", "journey", "deliveries"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_a_sign_in_and_few_queries(
    name: str,
    run: Run,
    client: Client,
    person: Callable[[str], User],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    assert client.get(reverse(name)).status_code == 302
    client.force_login(person("Auditor"))
    with django_assert_max_num_queries(16):
        page = client.get(reverse(name))
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("key", ["A", "B", "<script>", "D", "E", "G"])
def test_each_kind_of_break_has_a_page_with_its_proof(
    key: str, run: Run, client: Client, person: Callable[[str], User]
) -> None:
    client.force_login(person("Supervisor"))
    brk = Break.objects.get(key=key)
    page = client.get(brk.get_absolute_url()).content.decode()
    assert "<script>" not in page.replace("<script src", "")
    assert "What the gate said" in page
    if key == "A":
        assert "B is A with the sign turned." in page


def test_a_break_is_decided_by_a_plain_form(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Supervisor"))
    brk = Break.objects.get(key="A")
    answer = client.post(reverse("decide", args=[brk.pk]), {"action": "approve", "fingerprint": brk.fingerprint})
    assert answer.status_code == 302
    assert Break.objects.get(pk=brk.pk).state == "approved"


def test_htmx_gets_the_decided_break_in_place(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Supervisor"))
    brk = Break.objects.get(key="A")
    answer = client.post(reverse("decide", args=[brk.pk]), {"action": "reject"}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "<html" not in text and "Rejected" in text


PREVIEW = {"HX-Request": "true", "HX-Target": "preview"}


def test_a_preview_shows_a_break_beside_the_list(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Supervisor"))
    brk = Break.objects.get(key="A")
    url = reverse("preview", args=[brk.pk])
    assert f'data-preview="{url}"' in client.get(reverse("queue")).content.decode()
    text = client.get(url, headers=PREVIEW).content.decode()
    assert "<html" not in text and "B is A with the sign turned." in text and 'value="approve"' in text
    alone = client.get(url)
    assert (alone.status_code, alone.headers["Location"]) == (302, brk.get_absolute_url())


def test_a_decision_in_the_preview_answers_there(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Supervisor"))
    brk = Break.objects.get(key="A")
    answer = client.post(reverse("decide", args=[brk.pk]), {"action": "approve"}, headers=PREVIEW).content.decode()
    assert 'data-state="approved"' in answer and 'id="break"' not in answer and 'value="approve"' not in answer
    again = client.post(reverse("decide", args=[brk.pk]), {"action": "approve"}, headers=PREVIEW).content.decode()
    assert 'role="alert"' not in again, "a double click decides once, and sees what it did"
    client.force_login(person("Manager"))
    other = client.post(reverse("decide", args=[brk.pk]), {"action": "approve"}, headers=PREVIEW).content.decode()
    assert "This break was decided already by supervisor: approved, " in other


def test_a_preview_offers_no_decision_to_who_may_not(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Auditor"))
    text = client.get(reverse("preview", args=[Break.objects.get(key="A").pk]), headers=PREVIEW).content.decode()
    assert "<button" not in text and "An Analyst, a Supervisor or a Manager decides" in text


def test_a_part_of_a_page_sends_who_is_signed_out_to_the_whole_sign_in(run: Run, client: Client) -> None:
    here = f"http://testserver{reverse('queue')}?kind=gate"
    url = reverse("preview", args=[Break.objects.get(key="A").pk])
    answer = client.get(url, headers=PREVIEW | {"HX-Current-URL": here})
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=/queue/%3Fkind%3Dgate"
    assert client.get(url).headers["Location"] == f"/sign-in/?next={url}"


def test_a_run_shows_its_stages_and_steps_in_order(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Auditor"))
    context = client.get(reverse("run", args=[run.pk])).context
    assert [stage.title for stage in context["progress"].stages] == ["Ingest", "Diff", "Attribute", "Store"]
    assert [step.name for step in context["progress"].steps] == ["ingest", "ingest", "diff", "attribute"]
    assert all(stage.done for stage in context["progress"].stages)


def test_work_that_no_worker_takes_is_named(
    trades: Reconciliation, deliver: Callable[..., Normalization], client: Client, person: Callable[[str], User]
) -> None:
    for source in ("left", "right"):
        deliver(source, "\n".join([HEADER, row("A")]) + "\n")
    run = advance_run(start_run(reconciliation=trades, business_date=DAY, by="test"))
    client.force_login(person("Auditor"))
    assert client.get(reverse("run", args=[run.pk])).context["progress"].forsaken is None
    long_ago = timezone.now() - timedelta(seconds=90)
    Run.objects.filter(pk=run.pk).update(started_at=long_ago)
    Normalization.objects.update(finished_at=long_ago)
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "No worker takes diff, 0-63." in page and "Start a worker of the queue diff" in page


def test_who_may_not_decide_sees_who_may(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Auditor"))
    brk = Break.objects.get(key="A")
    page = client.get(brk.get_absolute_url()).content.decode()
    assert "An Analyst, a Supervisor or a Manager decides" in page
    client.post(reverse("decide", args=[brk.pk]), {"action": "approve"})
    assert Break.objects.get(pk=brk.pk).state == "review"


def test_another_teams_break_is_not_there(
    run: Run, client: Client, person: Callable[[str], User], trades: Reconciliation
) -> None:
    Reconciliation.objects.filter(pk=trades.pk).update(team=Team.objects.create(code="desk"))
    client.force_login(person("Manager"))
    brk = Break.objects.get(key="A")
    preview = reverse("preview", args=[brk.pk])
    for url in (brk.get_absolute_url(), preview, reverse("run", args=[run.pk]), f"/api/v1/breaks/{brk.pk}/"):
        assert client.get(url).status_code == 404
    assert "A" not in {b["key"] for b in client.get("/api/v1/breaks/").json()["results"]}
    assert client.post(reverse("decide", args=[brk.pk]), {"action": "approve"}).status_code == 404


def test_the_journey_shows_the_raw_line(run: Run, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Auditor"))
    page = client.get(reverse("journey"), {"key": "A"}).content.decode()
    assert "Line 2 received from Left" in page
    assert row("A", "10.00") in page
    told = client.get("/api/v1/journey", {"reconciliation": "trades", "key": "B"}).json()
    assert {"Stored as version 1", "Passed the gate"} <= {e["title"] for e in told["events"]}
    assert told["stored"]["amount"] == "10.25"


def test_a_token_decides_once_per_idempotency_key(run: Run, client: Client, person: Callable[[str], User]) -> None:
    token = make_token(user=person("API client"), name="robot", scopes=["read", "decide"])
    brk = Break.objects.get(key="A")
    url, body = f"/api/v1/breaks/{brk.pk}/decisions", {"action": "approve"}
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "k1"}
    assert client.post(url, body, "application/json").status_code in (401, 403)
    assert client.post(url, body, "application/json", headers={"Authorization": f"Token {token}"}).status_code == 400
    first = client.post(url, body, "application/json", headers=headers)
    again = client.post(url, body, "application/json", headers=headers)
    assert (first.status_code, first.json()) == (201, again.json())
    assert client.post(url, {"action": "reject"}, "application/json", headers=headers).status_code == 422
    assert client.post(url, body, "application/json", headers=headers | {"Idempotency-Key": "k2"}).status_code == 409


def test_a_token_without_the_scope_only_reads(run: Run, client: Client, person: Callable[[str], User]) -> None:
    token = make_token(user=person("API client"), name="reader", scopes=["read"])
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "k"}
    assert client.get(f"/api/v1/runs/{run.pk}/summary", headers=headers).json()["report"]["records"]["matched"] == 1
    brk = Break.objects.get(key="A")
    answer = client.post(
        f"/api/v1/breaks/{brk.pk}/decisions", {"action": "approve"}, "application/json", headers=headers
    )
    assert answer.status_code == 403


def test_health_needs_no_sign_in(db: None, client: Client) -> None:
    assert client.get("/livez").content == b"ok\n"
    assert client.get("/readyz").json()["database"] == "ok"


def test_vendored_files_are_those_that_were_listed() -> None:
    folder = Path(settings.BASE_DIR) / "static" / "vendor"
    listed = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
    found = {f"./{p.relative_to(folder)}": p for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS"}
    assert set(listed) == set(found)
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == listed[name] for name, path in found.items())
