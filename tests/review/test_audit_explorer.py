"""The audit explorer: who may read which events, how they are narrowed, what is shown of a change, and nothing to edit."""

import base64
import csv
import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingestion.audit_chain import chain_now, check_chain, drop_anchor
from ingestion.audit_log import record_event
from ingestion.calendars import put_calendar
from ingestion.models import AuditCheck, AuditEvent
from reconciliation.models import Break, Reconciliation, Run, Team
from review.audit_events import changes_of
from review.decisions import decide
from review.exporting import Wanted, ask_export, carry_out
from review.signing import public_key
from review.tokens import make_token
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

Person = Callable[..., User]
PAGE, API = "/audit/", "/api/v1/audit/"


@pytest.fixture(scope="module")
def ended(standing: Callable[..., Run]) -> Run:
    """A run with two breaks."""
    return standing([row("A", "10.00"), row("B", "10.00")], [row("A", "-10.00"), row("B", "9.00")])


@pytest.fixture
def run(ended: Run, person: Person) -> Run:
    """Two decisions, a change of the set-up, and a sign-in by nobody in particular."""
    ann = person("Analyst", "ann")
    decide(brk=Break.objects.get(key="A"), action="reject", by=ann, comment="<b>not ours</b>")
    decide(brk=Break.objects.get(key="B"), action="override", by=ann, reason="FX_VARIANCE", values={"amount": "9.00"})
    put_calendar(code="target", label="Target", weekend=[6, 7])
    put_calendar(code="target", label="Target 2", weekend=[6, 7])
    chain_now()
    return Run.objects.get(pk=ended.pk)


def shown(client: Client, **query: object) -> list[int]:
    """The numbers of the events on the page."""
    answer = client.get(PAGE, query)
    assert answer.status_code == 200
    return [it.event.sequence for it in answer.context["rows"]]


def sequences(**given: object) -> list[int | None]:
    return list(AuditEvent.objects.filter(**given).order_by("-sequence").values_list("sequence", flat=True))


def test_filters_in_the_address_narrow(run: Run, client: Client, person: Person) -> None:
    client.force_login(person("Auditor"))
    chain_now()
    assert shown(client) == sequences()
    assert shown(client, actor="ann") == sequences(actor_name="ann")
    assert shown(client, action="setup.changed", kind="calendar") == sequences(kind="calendar")
    assert len(shown(client, run=run.pk)) == len(shown(client, reconciliation="trades")) == 3
    assert shown(client, object="trades B") == sequences(name="trades B") and len(shown(client, object="trades B")) == 1
    today = dt.datetime.now(dt.UTC).date()
    assert shown(client, **{"from": today}) == sequences() and shown(client, to=today - dt.timedelta(days=1)) == []
    answer = client.get(PAGE, {"action": "decision.maid"})
    assert answer.status_code == 400 and "did you mean &#x27;decision.made&#x27;" in answer.content.decode()
    assert client.get(PAGE, {"from": "yesterday-ish"}).status_code == 400


@pytest.mark.parametrize(("since", "until"), [("0001-01-01", "9999-12-31"), ("9999-12-31", "0001-01-01")])
def test_the_first_and_the_last_day_there_are_can_be_looked_for(
    run: Run, client: Client, person: Person, since: str, until: str
) -> None:
    client.force_login(person("Auditor"))
    chain_now()
    found = sequences() if since < until else []
    assert shown(client, **{"from": since, "to": until}) == found
    answer = client.get(API, {"from": since, "to": until, "limit": 1000})
    assert [it["sequence"] for it in answer.json()["results"]] == found


def test_a_page_goes_on_where_the_one_before_ended(db: None, client: Client, person: Person) -> None:
    client.force_login(person("Auditor"))
    for number in range(120):
        record_event("run.started", of="run", by="x", name=f"run {number}")
    chain_now()
    seen, query = list[int](), "actor=x"
    while query:
        answer = client.get(f"{PAGE}?{query}")
        seen += [it.event.sequence for it in answer.context["rows"]]
        record_event("run.started", of="run", by="x", name="meanwhile")
        chain_now()
        query = answer.context["next"]
    assert len(seen) == 120 and seen == sorted(seen, reverse=True)


def test_who_reads_what(run: Run, trades: Reconciliation, client: Client, person: Person) -> None:
    mona, other = person("Manager", "mona"), Team.objects.create(code="others")
    client.force_login(mona)
    chain_now()
    assert set(shown(client)) == set(sequences(reconciliation=trades.pk))
    trades.team = other
    trades.save()
    assert shown(client) == []
    other.members.add(mona)
    assert len(shown(client)) == 3
    for role in ("Administrator", "Auditor"):
        client.force_login(person(role))
        chain_now()
        assert set(shown(client)) == set(sequences())
    for role in ("Analyst", "Supervisor", "API client"):
        client.force_login(person(role, f"no {role}"))
        assert client.get(PAGE).status_code == 403 and client.get(API).status_code == 403
        assert f'href="{reverse("audit")}"' not in client.get(reverse("dashboard")).content.decode()


def test_a_change_is_shown_with_what_it_was(run: Run, client: Client, person: Person) -> None:
    client.force_login(person("Auditor"))
    event = AuditEvent.objects.filter(kind="calendar").latest("id")
    assert [(it.field, it.before, it.after) for it in changes_of(event)] == [("label", "Target", "Target 2")]
    page = client.get(PAGE).content.decode()
    assert "&lt;b&gt;not ours&lt;/b&gt;" in page and "<b>not ours</b>" not in page
    forms = re.findall(r"<form[^>]*>", page.split("<main", 1)[1])
    assert [("post" in it) for it in forms] == [False]  # nothing is edited


def test_the_badge_says_how_far_the_chain_is_whole(run: Run, client: Client, person: Person) -> None:
    client.force_login(person("Auditor"))
    assert "not looked at yet" in client.get(PAGE).content.decode()
    check = check_chain()
    drop_anchor(check)
    page = client.get(PAGE).content.decode()
    assert f"whole to event {check.sequence}" in page and f"anchored at event {check.sequence}" in page
    AuditCheck.objects.create(at=check.at, sequence=4, problem="Audit event 4 was deleted by hand.")
    page = client.get(PAGE).content.decode()
    assert "broken" in page and "Audit event 4 was deleted by hand." in page


def test_a_page_asks_little(run: Run, client: Client, person: Person) -> None:
    client.force_login(person("Manager"))
    drop_anchor(check_chain())
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(PAGE, {"reconciliation": "trades"})
    assert len(captured) <= 12


def test_an_export_is_safe_and_itself_an_event(run: Run, client: Client, person: Person) -> None:
    una = person("Auditor")
    record_event("run.started", of="run", by="=1+1", name="=cmd()")
    chain_now()
    for form in ("csv", "json"):
        made = ask_export(wanted=Wanted("audit", form, {"actor": "=1+1"}), by=una)
        carry_out(made)
        client.force_login(una)
        made.refresh_from_db()
        answer = client.get(reverse("export_file", args=[made.pk]))
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        lines = list(csv.DictReader(text.splitlines())) if form == "csv" else json.loads(text)
        assert [it["name"] for it in lines] == ["'=cmd()" if form == "csv" else "=cmd()"] and len(
            lines[0]["hash"]
        ) == 64
        signature = base64.b64decode(answer.headers["X-Content-Signature"].removeprefix("ed25519="))
        public_key().verify(signature, hashlib.sha256(text.encode()).hexdigest().encode())
        event = AuditEvent.objects.filter(action="export.made").latest("id")
        assert event.actor_name == "auditor" and event.after["sha256"] == answer.headers["X-Content-SHA256"]


def test_a_program_reads_it_with_its_own_scope(run: Run, client: Client, person: Person) -> None:
    una = person("Auditor")
    found = {}
    for scope in ("audit", "read"):
        headers = {"Authorization": f"Token {make_token(user=una, name=scope, scopes=[scope])}"}
        found[scope] = client.get(API, {"action": "decision.made", "limit": 1}, headers=headers)
    assert found["read"].status_code == 403 and found["audit"].status_code == 200
    (event,) = found["audit"].json()["results"]
    assert (event["actor"], event["name"], event["after"]["values"]) == ("ann", "trades B", {"amount": "9.00"})
    headers = {"Authorization": f"Token {make_token(user=una, name='x', scopes=['audit'])}"}
    assert client.get(API, {"who": "ann"}, headers=headers).status_code == 400
    assert client.get(API, {"action": "nothing"}, headers=headers).status_code == 400
    assert client.post(API, {}, headers=headers).status_code in (403, 405)
