"""Holds: out of the open queue until a day or an answer, back by itself, by hand, or by a run that finds other values."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.tasks import return_held
from ingestion.models import Alert, AuditEvent
from reconciliation.conservation import conservation
from reconciliation.custody import seal_breaks
from reconciliation.holds import return_due
from reconciliation.models import Break, Hold, Reconciliation, Run
from review.bulk.bulks import BulkRefused, start_bulk, undo_bulk
from review.bulk.working import work_on
from review.decisions import AlreadyDecided, decide
from review.holding import HoldRefused, hold, release
from review.models import BulkDecision
from tests.conftest import DAY, problems, row
from tests.review.test_assigning import break_of
from tests.review.test_bulk import chosen
from tests.standing import lake_folder  # noqa: F401

LEFT = [row("A", "10.00"), row("B", "20.00"), row("C", "30.00")]
RIGHT = [row("A", "-10.00"), row("B", "-20.00"), row("C", "-30.00")]
LATER = dt.timedelta(days=3)


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Three sign flips in review."""
    return standing(LEFT, RIGHT)


@pytest.fixture
def run(made: Run, db: None) -> Run:
    """The run that found them."""
    return made


@pytest.fixture
def ann(person: Callable[..., User]) -> User:
    """An Analyst."""
    return person("Analyst", "ann")


def in_three_days() -> dt.date:
    """A day on which a hold may end."""
    return timezone.now().date() + LATER


def listed(client: Client, **query: str) -> set[str]:
    """The keys that the queue lists."""
    return {it.brk.key for it in client.get(reverse("queue"), query).context["rows"]}


def ended(key: str) -> list[tuple[str, str | None]]:
    """Why the holds of a key ended, and by whom."""
    found = Hold.objects.filter(brk__key=key).order_by("pk")
    return list(found.values_list("ended_because", "ended_by__username"))


def test_a_held_break_leaves_the_open_queue_and_stays_open(run: Run, ann: User, client: Client) -> None:
    before = conservation(run)
    hold(brk=break_of("A"), by=ann, until=in_three_days(), note="Month end")
    client.force_login(ann)
    assert listed(client) == {"B", "C"} and listed(client, state="held") == {"A"}
    found = client.get(reverse("queue"), {"state": "held"})
    assert [it["count"] for it in found.context["tabs"] if it["title"] == "On hold"] == [1]
    assert f"On hold until {in_three_days():%-d %b %Y}: Month end" in found.content.decode()
    assert conservation(run) == before and break_of("A").state == "review"
    assert [it.after for it in AuditEvent.objects.filter(action="break.held")] == [
        {"until": in_three_days().isoformat(), "note": "Month end"}
    ]
    assert problems() == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"note": "x"}, "Give the day"),
        ({"note": " ", "party": "Custodian"}, "Say in a note"),
        ({"note": "x", "until": dt.date(2020, 1, 1)}, "on a day after today"),
        ({"note": "x", "until": dt.date(9999, 1, 1)}, "at most 366 days"),
        ({"note": "x\0", "party": "Custodian"}, "NUL"),
        ({"note": "x", "party": "C" * 201}, "a party 200"),
    ],
)
def test_a_hold_says_what_it_waits_for(run: Run, ann: User, given: dict[str, Any], why: str) -> None:
    with pytest.raises(HoldRefused, match=why):
        hold(brk=break_of("A"), by=ann, **given)
    assert not Hold.objects.exists()


def test_who_may_not_decide_may_not_hold(run: Run, ann: User, person: Callable[..., User]) -> None:
    with pytest.raises(HoldRefused, match="Analysts, Supervisors"):
        hold(brk=break_of("A"), by=person("Auditor"), party="x", note="x")
    decide(brk=break_of("A"), action="reject", by=ann)
    with pytest.raises(AlreadyDecided, match="is rejected"):
        hold(brk=break_of("A"), by=ann, party="x", note="x")


def test_it_returns_by_hand_once(run: Run, ann: User) -> None:
    band = break_of("A").band
    hold(brk=break_of("A"), by=ann, party="Custodian", note="asked")
    hold(brk=break_of("A"), by=ann, party="Broker", note="asked anew")
    release(brk=break_of("A"), by=ann)
    assert break_of("A").band == band
    with pytest.raises(AlreadyDecided, match="not on hold any more"):
        release(brk=break_of("A"), by=ann)
    assert ended("A") == [("held anew", "ann"), ("taken off", "ann")]
    assert problems() == []


def _date_came(key: str) -> None:
    now = timezone.now()
    Hold.objects.filter(brk__key=key).update(held_at=now - 2 * LATER, until=now - LATER)


def test_it_returns_by_itself_when_its_date_comes(run: Run, ann: User) -> None:
    for key in ("A", "B"):
        hold(brk=break_of(key), by=ann, until=in_three_days(), note="Month end")
    assert return_due(timezone.now()) == 0
    _date_came("A")
    return_held()
    assert (break_of("A").band, break_of("B").band) == (break_of("C").band, "held")
    assert ended("A") == [("its date came", None)]
    assert return_due(timezone.now()) == 0
    told = Alert.objects.get(event="break.returned")
    assert (told.person, told.count) == (ann, 1)


@pytest.mark.parametrize("door", ["page", "api", "bulk"])
def test_no_list_hides_what_is_due_where_beat_stands_still(
    door: str, run: Run, person: Callable[..., User], client: Client
) -> None:
    ben = person("Supervisor", "ben")
    client.force_login(ben)
    hold(brk=break_of("A"), by=ben, until=in_three_days(), note="Month end")
    _date_came("A")
    if door == "page":
        assert listed(client) == {"A", "B", "C"}
    elif door == "api":
        assert len(client.get("/api/v1/breaks/?order=priority").json()["results"]) == 3
    else:
        assert len(chosen(ben).chosen) == 3


def test_other_values_bring_it_back_and_a_match_closes_it(
    trades: Reconciliation, reconcile: Callable[..., Run], ann: User
) -> None:
    reconcile(LEFT, RIGHT)
    for key in ("A", "B", "C"):
        hold(brk=break_of(key), by=ann, party="Custodian", note="asked")
    run = reconcile([], [row("A", "-11.00"), row("B", "20.00")], DAY + dt.timedelta(days=1))
    assert (break_of("A").state, break_of("B").state, break_of("C").band) == ("review", "closed", "held")
    assert break_of("A").band != "held" and break_of("B").band != "held"
    assert ended("A") == [(f"run {run.pk} found other values", None)]
    assert ended("B") == [(f"closed by run {run.pk}", None)]
    assert ended("C") == [("", None)]
    assert problems() == []


def test_a_run_that_finds_the_same_leaves_it_on_hold(
    trades: Reconciliation, reconcile: Callable[..., Run], ann: User
) -> None:
    reconcile(LEFT, RIGHT)
    hold(brk=break_of("A"), by=ann, party="Custodian", note="asked")
    reconcile([row("A", "10.00")], [row("A", "-10.00")], DAY + dt.timedelta(days=1))
    assert break_of("A").band == "held"
    assert problems() == []


@pytest.mark.parametrize("four_eyes", [False, True])
def test_deciding_takes_it_off(run: Run, person: Callable[..., User], four_eyes: bool) -> None:  # noqa: FBT001
    ann, ben = person("Supervisor", "ann"), person("Supervisor", "ben")
    Reconciliation.objects.update(four_eyes=four_eyes)
    for key in ("A", "B", "C"):
        hold(brk=break_of(key), by=ann, party="Custodian", note="asked")
    decide(brk=break_of("A"), action="reject", by=ben)
    decide(brk=break_of("B"), action="override", reason="PENDING_INVESTIGATION", by=ben)
    work_on(start_bulk(preview=chosen(ben, state="held"), action="reject", by=ben))
    assert {key: ended(key) for key in "ABC"} == dict.fromkeys("ABC", [("decided", "ben")])
    assert not Break.objects.filter(band="held").exists()
    assert [it for it in problems() if "reconciliation" not in it] == []


def test_a_break_has_one_open_hold(run: Run, ann: User) -> None:
    made = hold(brk=break_of("A"), by=ann, party="Custodian", note="asked")
    with pytest.raises(IntegrityError, match="hold_one_open_per_break"), transaction.atomic():
        Hold.objects.create(brk=made.brk, party="x", note="x", held_by=ann, held_at=timezone.now())
    Hold.objects.filter(pk=made.pk).update(note="written by hand")
    seal_breaks([made.brk_id])
    assert problems() == [f"hold {made.pk} was changed by hand."]


def test_the_pages_hold_release_and_tell(run: Run, ann: User, client: Client) -> None:
    client.force_login(ann)
    brk = break_of("A")
    put = reverse("hold", args=[brk.pk])
    for given, said in (({"note": "x", "until": "soon"}, "is no day such as"), ({"note": "x"}, "Give the day")):
        assert said in client.post(put, given, follow=True).content.decode()
    page = client.post(put, {"note": "asked by phone", "party": "Custodian <X>"}, follow=True).content.decode()
    assert "On hold for an answer of Custodian &lt;X&gt;" in page and "Take off hold" in page
    page = client.post(reverse("release", args=[brk.pk]), follow=True).content.decode()
    assert "Off hold: taken off" in page and "Take off hold" not in page
    again = client.post(reverse("release", args=[brk.pk]), follow=True).content.decode()
    assert "not on hold any more" in again
    journey = client.get(reverse("journey"), {"reconciliation": "trades", "key": "A"}).content.decode()
    assert "On hold for an answer of Custodian" in journey and "Off hold: taken off" in journey


def test_programs_hold_and_release(run: Run, ann: User, client: Client) -> None:
    client.force_login(ann)
    url = f"/api/v1/breaks/{break_of('A').pk}/"

    def post(what: str, body: dict[str, object], key: str) -> Any:  # noqa: ANN401
        return client.post(f"{url}{what}/", body, "application/json", headers={"Idempotency-Key": key})

    held = post("hold", {"party": "Custodian", "note": "asked"}, "1")
    assert (held.status_code, held.json()["band"]) == (201, "held")
    assert [it["party"] for it in client.get(url).json()["holds"]] == ["Custodian"]
    assert post("hold", {"note": "asked"}, "2").status_code == 400
    assert post("hold", {"until": "soon", "note": "asked"}, "3").status_code == 400
    assert [post("release", {}, key).status_code for key in ("4", "5")] == [201, 409]


def test_many_are_put_on_hold_at_once_each_with_its_result(
    run: Run, person: Callable[..., User], client: Client
) -> None:
    ann = person("Supervisor", "ann")
    decide(brk=break_of("C"), action="reject", by=ann)
    client.force_login(ann)
    chosen = client.post(reverse("choose_bulk"), {"q": "state:all", "whole": "1"})
    start = f"{chosen.headers['Location']}start/"
    for given, said in (
        ({"until": "soon"}, "&#x27;soon&#x27; is no day such as 2026-12-03."),
        ({"until": "2020-01-01"}, "It returns on a day after today"),
        ({"comment": "asked"}, "Give the day on which it returns"),
        ({"until": "2020-01-01", "comment": ""}, "Say in a note why it has to wait."),
    ):
        refused = client.post(start, {"action": "hold", "comment": "asked", **given})
        assert refused.status_code == 400 and said in refused.content.decode()
    until = (timezone.now() + dt.timedelta(days=3)).date()
    begun = client.post(start, {"action": "hold", "until": until.isoformat(), "party": "Nordbank", "comment": "asked"})
    bulk = BulkDecision.objects.get()
    assert not work_on(bulk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.done, bulk.refused, bulk.until, bulk.party) == ("done", 2, 1, until, "Nordbank")
    assert set(Break.objects.filter(band="held").values_list("key", flat=True)) == {"A", "B"}
    assert {(it.note, it.party, it.held_by) for it in Hold.objects.all()} == {("asked", "Nordbank", ann)}
    page = client.get(begun.headers["Location"]).content.decode()
    assert "Put on hold" in page and "Nordbank" in page and "there is nothing to wait for" in page
    with pytest.raises(BulkRefused, match="Take the breaks off hold"):
        undo_bulk(bulk=bulk, by=ann)
    with pytest.raises(IntegrityError, match="bulk_decision_holds_or_not"), transaction.atomic():
        BulkDecision.objects.filter(pk=bulk.pk).update(until=None, party=None)
    assert problems() == []


def test_a_program_puts_many_on_hold(run: Run, person: Callable[..., User], client: Client) -> None:
    client.force_login(person("Supervisor", "ann"))

    def post(url: str, given: dict[str, object], key: str) -> Any:  # noqa: ANN401
        return client.post(url, given, content_type="application/json", headers={"Idempotency-Key": key})

    chosen = post("/api/v1/bulk-previews/", {"filters": {"q": "key:A"}}, "1").json()
    assert (chosen["count"], chosen["chosen"]) == (1, "Filter key:A")
    asked = {"preview": chosen["preview"], "action": "hold", "comment": "asked"}
    assert post("/api/v1/bulk-decisions/", asked, "2").status_code == 400
    begun = post("/api/v1/bulk-decisions/", {**asked, "party": "Nordbank"}, "3").json()
    assert (begun["action"], begun["until"], begun["party"]) == ("hold", None, "Nordbank")
    work_on(BulkDecision.objects.get())
    assert break_of("A").band == "held" and problems() == []
