"""Assigning: given to those who may decide, one by one and in bulk, through every door; the log says whose a break was."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ingestion import custody
from ingestion.models import Alert, AuditEvent
from reconciliation.models import Break, Reconciliation, Run, Team
from reconciliation.scoping import put_scope
from review.assigning import AssignRefused, assign, deciders, deciders_of, person_called
from review.bulk.bulks import BulkRefused, start_bulk, undo_bulk
from review.bulk.working import work_on
from review.decisions import decide
from review.models import BulkDecision
from tests.conftest import problems, row
from tests.review.test_bulk import chosen
from tests.standing import lake_folder  # noqa: F401

LEFT = [row("A", "10.00"), row("B", "20.00"), row("C", "30.00")]
RIGHT = [row("A", "-10.00"), row("B", "-20.00"), row("C", "-30.00")]


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Three sign flips in review."""
    return standing(LEFT, RIGHT)


@pytest.fixture
def run(made: Run, db: None) -> Run:
    """The run that found them."""
    return made


def break_of(key: str) -> Break:
    """The break of a key, as it stands."""
    return Break.objects.get(key=key)


def events(key: str) -> list[tuple[str, Any, Any]]:
    """Who assigned it, from whom to whom."""
    found = AuditEvent.objects.filter(action="break.assigned", object_id=break_of(key).pk).order_by("pk")
    return [(it.actor_name, it.before["assignee"], it.after["assignee"]) for it in found]  # type: ignore[index]


def test_a_break_goes_from_one_to_another_and_to_nobody(run: Run, person: Callable[..., User]) -> None:
    ann, ben = person("Analyst", "ann"), person("Supervisor", "ben")
    for to in (ann, ann, ben, None):
        assign(brk=break_of("A"), to=to, by=ben)
        assert break_of("A").assignee == to
    assert events("A") == [("ben", None, "ann"), ("ben", "ann", "ben"), ("ben", "ben", None)]
    told = Alert.objects.get()  # to ben by ben tells nobody
    assert (told.event, told.person, told.count) == ("break.assigned", ann, 1)
    assert problems() == []


def test_only_who_may_decide_there_is_given_a_break(
    run: Run, person: Callable[..., User], trades: Reconciliation
) -> None:
    ann, other, auditor = person("Analyst", "ann"), person("Analyst", "other"), person("Auditor")
    team = Team.objects.create(code="desk")
    team.members.add(ann)
    trades.team = team
    trades.save()
    custody.seal([team, trades])
    gone = person("Analyst", "gone")
    gone.is_active = False
    gone.save()
    team.members.add(gone)
    for to, why in ((auditor, "may not decide"), (gone, "may not decide"), (other, "does not work on")):
        with pytest.raises(AssignRefused, match=why):
            assign(brk=break_of("A"), to=to, by=ann)
    with pytest.raises(AssignRefused, match="Analysts, Supervisors"):
        assign(brk=break_of("A"), to=ann, by=auditor)
    with pytest.raises(AssignRefused, match="There is no user 'nobody-such'"):
        person_called("nobody-such", ann)
    person("API client", "program")
    assert list(deciders([trades])) == [ann]
    assert events("A") == []


def test_who_sees_a_part_is_offered_the_breaks_of_that_part(run: Run, person: Callable[..., User]) -> None:
    people = {party: person("Analyst", party.lower()) for party in ("Acme", "Beta")}
    for party, user in people.items():
        Team.objects.create(code=f"desk_{party.lower()}").members.add(user)
    person("Analyst", "nowhere")
    granted = {f"desk_{party.lower()}": [party] for party in people}
    put_scope(reconciliation=Reconciliation.objects.get(), field="party", granted=granted)
    brk = Break.objects.select_related("reconciliation").get(key="A")
    assert list(deciders([brk.reconciliation])) == [people["Acme"], people["Beta"]]
    assert list(deciders_of(brk)) == [people["Acme"]]
    assert assign(brk=brk, to=people["Acme"], by=people["Acme"]).assignee == people["Acme"]


def test_what_is_decided_needs_nobody(run: Run, person: Callable[..., User]) -> None:
    ann = person("Analyst", "ann")
    decide(brk=break_of("A"), action="reject", by=ann)
    with pytest.raises(AssignRefused, match="is rejected"):
        assign(brk=break_of("A"), to=ann, by=ann)


def test_another_person_decides_and_the_log_says_whose_it_was(run: Run, person: Callable[..., User]) -> None:
    ann, ben = person("Analyst", "ann"), person("Analyst", "ben")
    for key in ("A", "B"):
        assign(brk=break_of(key), to=ann, by=ben)
    decide(brk=break_of("A"), action="reject", by=ben)
    decide(brk=break_of("B"), action="reject", by=ann)
    told = AuditEvent.objects.filter(action="decision.made").order_by("pk")
    assert [(it.after or {}).get("assigned_to") for it in told] == ["ann", None]


def test_many_are_assigned_at_once_each_with_its_result(run: Run, person: Callable[..., User]) -> None:
    ann, ben = person("Analyst", "ann"), person("Supervisor", "ben")
    decide(brk=break_of("C"), action="reject", by=ben)
    bulk = start_bulk(preview=chosen(ben, state="all"), action="assign", by=ben, assignee=ann)
    assert not work_on(bulk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.done, bulk.refused) == ("done", 2, 1)
    assert dict(bulk.results.values_list("brk__key", "said"))["C"].startswith("This break is rejected")
    assert {brk.assignee for brk in Break.objects.filter(state="review")} == {ann}
    assert events("B") == [("ben", None, "ann")]
    with pytest.raises(BulkRefused, match="Assign the breaks to somebody else"):
        undo_bulk(bulk=bulk, by=ben)
    with pytest.raises(BulkRefused, match="may not decide"):
        start_bulk(preview=chosen(ben), action="assign", by=ben, assignee=person("Auditor"))
    assert problems() == []


def test_the_pages_assign_and_list(run: Run, person: Callable[..., User], client: Client) -> None:
    ann, ben = person("Analyst", "ann"), person("Supervisor", "ben")
    client.force_login(ben)
    url = reverse("assign", args=[break_of("A").pk])
    page = client.post(url, {"assignee": "me"}, follow=True).content.decode()
    assert "Who looks after it" in page and "Give it back" in page and "Assign to me" not in page
    for headers in ({}, {"HX-Request": "true"}):
        form = client.get(url, headers=headers).content.decode()
        assert "<option selected>ben</option>" in form and "<option>ann</option>" in form
    assert "There is no user" in client.post(url, {"assignee": "zoe"}, follow=True).content.decode()
    client.post(reverse("assign", args=[break_of("B").pk]), {"assignee": "ann"})
    beside = client.post(url, {"assignee": ""}, headers={"HX-Request": "true", "HX-Target": "preview"}).content.decode()
    assert "With nobody" in beside and "Assign to me" in beside
    assign(brk=break_of("A"), to=ben, by=ben)
    for whom, keys in {"me": {"A"}, "others": {"B"}, "nobody": {"C"}, "ann": {"B"}, "zoe": set()}.items():
        found = client.get(reverse("queue"), {"assigned": whom}).context
        assert {it.brk.key for it in found["rows"]} == keys
    page = client.get(reverse("queue")).content.decode()
    assert "with\n      you" in page and "with\n      ann" in page
    assert ann.pk != ben.pk


def test_the_pages_assign_many(run: Run, person: Callable[..., User], client: Client) -> None:
    person("Analyst", "ann")
    client.force_login(person("Supervisor", "ben"))
    preview = client.post(reverse("choose_bulk"), {"whole": "1", "order": "amount"}).headers["Location"]
    assert "<option>ann</option>" in client.get(preview).content.decode()
    refused = client.post(f"{preview}start/", {"action": "assign", "assignee": "zoe"})
    assert refused.status_code == 400 and "There is no user" in refused.content.decode()
    started = client.post(f"{preview}start/", {"action": "assign", "assignee": "ann"}).headers["Location"]
    work_on(BulkDecision.objects.get())
    page = client.get(started).content.decode()
    assert "Assigned to</dt><dd>ann" in page and "Undo all" not in page
    assert "Assign to ann" in client.get(reverse("bulks")).content.decode()


def test_programs_assign_one_and_many(run: Run, person: Callable[..., User], client: Client) -> None:
    person("Analyst", "ann")
    client.force_login(person("Supervisor", "ben"))

    def post(url: str, body: dict[str, object], key: str) -> Any:  # noqa: ANN401
        return client.post(url, body, "application/json", headers={"Idempotency-Key": key})

    one = f"/api/v1/breaks/{break_of('A').pk}/assignment/"
    assert post(one, {"assignee": "me"}, "1").json()["assignee"] == "ben"
    assert post(one, {"assignee": None}, "2").json()["assignee"] is None
    assert post(one, {"assignee": "zoe"}, "3").status_code == 400
    held = post("/api/v1/bulk-previews/", {"filters": {"assigned": "nobody"}}, "4").json()
    body = {"preview": held["preview"], "action": "assign", "assignee": "ann"}
    assert post("/api/v1/bulk-decisions/", body, "5").json()["assignee"] == "ann"
    work_on(BulkDecision.objects.get())
    listed = client.get("/api/v1/breaks/?assignee=ann").json()["results"]
    assert len(listed) == held["count"] == 3


def test_the_history_and_the_journey_say_to_whom_it_was_given(
    run: Run, person: Callable[..., User], client: Client
) -> None:
    ann, ben = person("Analyst", "ann"), person("Supervisor", "ben")
    assign(brk=break_of("A"), to=ann, by=ben)
    assign(brk=break_of("A"), to=None, by=ann)
    client.force_login(ann)
    for url in (break_of("A").get_absolute_url(), "/journey/?reconciliation=trades&key=A"):
        page = client.get(url).content.decode()
        assert "Assigned to ann" in page and "Assigned to nobody" in page and "It was with ann." in page
