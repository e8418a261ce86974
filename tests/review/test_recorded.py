"""The audit log through the doors: each act of a person is one event, written with what it tells of."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.definitions.apply import apply_definition
from ingestion.audit_chain import broken_chain
from ingestion.calendars import put_holiday
from ingestion.models import AuditEvent, Calendar, QuarantinedRow
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import AlreadyDecided, DecisionRefused, decide, waive
from review.tokens import make_token
from tests.conftest import DEFINITION, problems, row

NO_ROWS = {"holidays-TOTAL_FORMS": 0, "holidays-INITIAL_FORMS": 0}
Person = Callable[..., User]


def told(*actions: str) -> list[AuditEvent]:
    """The events of these actions, oldest first."""
    return list(AuditEvent.objects.filter(action__in=actions).order_by("id"))


@pytest.fixture
def run(reconcile: Callable[..., Run]) -> Run:
    return reconcile(
        [row("A", "10.00"), row("B", "10.00"), row("GATE", "5000.00"), "broken"],
        [row("A", "-10.00"), row("B", "9.00"), row("GATE", "5000.00")],
    )


def test_a_decision_on_the_page_is_an_event(run: Run, client: Client, person: Person) -> None:
    sam, brk = person("Supervisor", "sam"), Break.objects.get(key="A")
    client.force_login(sam)
    given = {"action": "override", "reason": "SIGN_FLIP", "comment": "agreed", "fingerprint": brk.fingerprint}
    client.post(reverse("decide", args=[brk.pk]), given, REMOTE_ADDR="203.0.113.77")
    (event,) = told("decision.made")
    assert (event.actor, event.actor_name, event.kind, event.object_id) == (sam, "sam", "break", str(brk.pk))
    assert (event.name, event.run, event.reconciliation) == ("trades A", run.pk, run.reconciliation_id)
    assert event.after["reason"] == "SIGN_FLIP" and event.after["comment"] == "agreed"
    assert (event.door, event.address) == ("page", "203.0.113.0/24") and len(event.request) == 12
    assert problems() == []


def test_under_four_eyes_each_step_is_an_event(
    run: Run, trades: Reconciliation, client: Client, person: Person
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    ann, sam = person("Analyst", "ann"), person("Supervisor", "sam")
    for key, verb in (("A", "confirm"), ("B", "withdraw")):
        decision = decide(brk=Break.objects.get(key=key), action="reject", by=ann)
        client.force_login(sam)
        client.post(reverse("confirm", args=[decision.pk]), {"action": verb})
    found = [
        (it.action, it.actor_name, it.name)
        for it in told("decision.proposed", "decision.confirmed", "decision.withdrawn")
    ]
    assert found == [
        ("decision.proposed", "ann", "trades A"), ("decision.confirmed", "sam", "trades A"),
        ("decision.proposed", "ann", "trades B"), ("decision.withdrawn", "sam", "trades B"),
    ]  # fmt: skip


def test_what_is_refused_is_no_event(run: Run, person: Person) -> None:
    with pytest.raises(DecisionRefused):
        decide(brk=Break.objects.get(key="A"), action="approve", by=person("Auditor"))
    with pytest.raises(AlreadyDecided):
        decide(brk=Break.objects.get(key="A"), action="reject", by=person("Analyst"), expected_fingerprint="another")
    assert told("decision.made", "decision.proposed") == []


def test_a_waiver_and_a_repair_are_events(run: Run, client: Client, person: Person) -> None:
    mona = person("Manager", "mona")
    waive(brk=Break.objects.get(key="GATE"), condition="check:amount:between", by=mona, comment="a large one")
    client.force_login(mona)
    quarantined = QuarantinedRow.objects.get()
    client.post(reverse("answer_row", args=[quarantined.pk]), {"action": "dismiss", "comment": "a footer"})
    waiver, repair = told("check.waived", "repair.made")
    assert waiver.after == {"condition": "check:amount:between", "comment": "a large one"}
    assert (repair.kind, repair.after["action"], repair.reconciliation) == (
        "quarantined row",
        "dismiss",
        run.reconciliation_id,
    )


def test_an_api_call_names_its_token(run: Run, person: Person) -> None:
    robot = person("API client", "robot")
    token = make_token(user=robot, name="nightly", scopes=["decide"])
    url = f"/api/v1/breaks/{Break.objects.get(key='A').pk}/decisions/"
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "1"}
    answer = Client().post(url, {"action": "reject"}, content_type="application/json", headers=headers)
    assert answer.status_code == 201
    (event,) = told("decision.made")
    assert (event.actor, event.door) == (robot, f"api {token[:8]}")


def test_a_definition_is_one_event(define: Callable[[str], object], tmp_path: Path) -> None:
    apply_definition(DEFINITION, tmp_path, by="ann")
    (event,) = told("setup.changed")
    assert (event.kind, event.name, event.actor_name) == ("definition", "trades", "ann")
    assert (
        event.after["add"] == len(event.after["changes"]) and "reconciliation trades: created" in event.after["changes"]
    )
    apply_definition(DEFINITION, tmp_path, by="ann")
    call_command("define", _file(tmp_path, DEFINITION.replace("0.005", "0.01")), "--dry-run")
    assert len(told("setup.changed")) == 1


def _file(folder: Path, text: str) -> str:
    file = folder / "changed.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_thing_of_the_set_up_says_what_it_was_and_is(db: None, client: Client, staff: Callable[[str], User]) -> None:
    who = staff("Administrator")
    add = reverse("admin:ingestion_calendar_add")
    given = {"code": "target", "label": "Target", "weekend": ["6", "7"], **NO_ROWS}
    assert client.post(add, given).status_code == 302
    calendar = Calendar.objects.get(code="target")
    client.post(reverse("admin:ingestion_calendar_change", args=[calendar.pk]), given | {"label": "Target 2"})
    first, second = told("setup.changed")
    assert (first.before, first.actor, first.door) == (None, who, "admin")
    assert (second.before, second.after) == ({"label": "Target"}, {"label": "Target 2"})
    put_holiday(calendar=calendar, day=dt.date(2026, 12, 25), name="Christmas")
    assert told("setup.changed")[-1].after == {"day": "2026-12-25", "name": "Christmas"}


def test_sign_in_refused_sign_in_and_sign_out(client: Client, person: Person) -> None:
    ann = person("Analyst", "ann")
    url = reverse("login")
    client.post(url, {"username": "ann", "password": "wrong"})
    client.post(url, {"username": "my-password-in-the-wrong-place", "password": "x"})
    client.post(url, {"username": "ann", "password": "secret-of-a-test"})
    client.post(reverse("logout"))
    found = told("session.refused", "session.signed_in", "session.signed_out")
    assert [(it.action, it.actor_name, it.actor) for it in found] == [
        ("session.refused", "ann", None), ("session.refused", "unknown name", None),
        ("session.signed_in", "ann", ann), ("session.signed_out", "ann", ann),
    ]  # fmt: skip
    assert "my-password" not in str(list(AuditEvent.objects.values_list()))


def test_rights_that_are_given_are_told_with_those_before(client: Client, staff: Callable[[str], User]) -> None:
    staff("Administrator")
    ann = User.objects.create_user("ann", password="secret-of-a-test")
    given = {
        "username": "ann", "is_active": "on", "groups": [Group.objects.get(name="Manager").pk],
        "date_joined_0": "2026-11-20", "date_joined_1": "10:00:00",
    }  # fmt: skip
    url = reverse("admin:auth_user_change", args=[ann.pk])
    assert client.post(url, given).status_code == 302
    client.post(url, given)  # nothing new
    (event,) = told("person.changed")
    assert (event.before["roles"], event.after["roles"], event.actor_name) == ([], ["Manager"], "administrator")
    group = Group.objects.create(name="Guests")
    role = reverse("admin:auth_group_change", args=[group.pk])
    assert client.post(role, {"name": "Visitors"}).status_code == 302
    assert told("person.changed")[-1].after["name"] == "Visitors"


def test_a_password_that_is_set_is_told_and_not_kept(client: Client, staff: Callable[[str], User]) -> None:
    staff("Administrator")
    ann = User.objects.create_user("ann", password="secret-of-a-test")
    given = {"password1": "quite-another-1", "password2": "quite-another-1"}
    client.post(reverse("admin:auth_user_password_change", args=[ann.pk]), given)
    event = told("password.changed")[-1]
    assert (event.name, event.actor_name) == ("ann", "administrator")
    assert "quite-another" not in str(list(AuditEvent.objects.values_list()))


def test_tokens_are_told_without_their_text(client: Client, staff: Callable[[str], User], person: Person) -> None:
    robot = person("API client", "robot")
    staff("Administrator")
    given = {"user": robot.pk, "name": "nightly", "scopes": ["read"], "days": 7}
    client.post("/admin/review/apitoken/add/", given)
    made = told("token.made")[0]
    client.post(reverse("admin:review_apitoken_delete", args=[made.object_id]), {"post": "yes"})
    (revoked,) = told("token.revoked")
    assert made.after["scopes"] == revoked.before["scopes"] == ["read"]
    assert (made.actor_name, revoked.actor_name, revoked.object_id) == (
        "administrator",
        "administrator",
        made.object_id,
    )


def test_an_export_and_an_import_by_file_are_an_event_each(client: Client, staff: Callable[[str], User]) -> None:
    staff("Administrator")
    Calendar.objects.create(code="target", weekend=[6, 7])
    assert client.get(reverse("admin:ingestion_calendar_export")).status_code == 200
    (event,) = told("export.made")
    assert (event.name, event.after, event.actor_name) == ("calendars", {"lines": 1}, "administrator")


def test_a_decision_asks_the_database_little_more(run: Run, person: Person) -> None:
    sam = person("Supervisor", "sam")
    with CaptureQueriesContext(connection) as captured:
        decide(brk=Break.objects.get(key="A"), action="reject", by=sam)
    assert sum("ingestion_auditevent" in query["sql"] for query in captured) == 1
    assert list(broken_chain()) == []
