"""Incidents: breaks of one signature that surge together, found by a plain rule, shown and decided as one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingestion import custody
from reconciliation.models import Break, Reconciliation, Run, Team
from review.bulk.bulks import start_bulk, undo_bulk
from review.bulk.selecting import choose_incident
from review.bulk.working import work_on
from review.decisions import decide
from review.incidents.finding import find_incidents, unscanned
from review.incidents.standing import figures_of, gap_text, settle_incidents, signature_text
from review.incidents.surges import ANY, Counted, Signature, at_least, surging
from review.models import BulkDecision, Incident, IncidentBreak, IncidentScan, SignatureCount
from review.tokens import make_token
from tests.conftest import DAY, define_trades, problems, reconcile_rows, row
from tests.review.test_query_bounds import BOUND
from tests.standing import lake_folder  # noqa: F401

PAIRS = 40


def signature(gap: str = ANY, segment: str = ANY, reason: str = "SIGN_FLIP") -> Signature:
    """Of the amount."""
    return Signature("amount", reason, gap, segment)


def found(*counted: Counted, runs: int = 10, records: int = 1000, before: int = 10_000) -> list[tuple[str, str, int]]:
    """The surges as (gap, segment, count)."""
    surges = surging(counted, runs=runs, records=records, records_before=before)
    return [(it.signature.gap, it.signature.segment, it.count) for it in surges]


@pytest.mark.parametrize(
    ("count", "before", "is_one"),
    [
        (19, 0, False),
        (20, 0, True),
        (60, 200, True),
        (59, 200, False),
        (300, 1000, True),
        (30, 99, True),
        (29, 100, False),
    ],
)
def test_what_surges(count: int, before: int, is_one: bool) -> None:  # noqa: FBT001
    """At least 20, and 3 times the mean of ten runs."""
    assert bool(found(Counted(signature(), count, before))) is is_one


def test_what_is_usual_goes_by_the_records_of_a_run() -> None:
    once = Counted(signature(), 60, 100)
    assert found(once) and not found(once, records=3000) and found(once, records=100)
    assert not found(once, runs=2) and not found(once, before=0)


def test_a_surge_is_told_once_as_exactly_as_its_breaks_allow() -> None:
    whole, most, few = Counted(signature(), 100, 10), Counted(signature("+1"), 85, 5), Counted(signature("+0"), 21, 0)
    assert found(whole, most, few) == [("+1", ANY, 85), ("+0", ANY, 21)]  # what is left is a surge by itself
    assert found(whole, Counted(signature("+1"), 70, 5), few) == [(ANY, ANY, 100)]
    exact = Counted(signature("+1", "Beta"), 84, 1)
    assert found(whole, most, Counted(signature(ANY, "Beta"), 90, 1), exact) == [("+1", "Beta", 84)]
    alone = Counted(signature(ANY, "Beta"), 40, 0)  # the whole is as large as ever
    assert found(Counted(signature(), 200, 1800), alone) == [(ANY, "Beta", 40)]


def test_the_chance_of_so_many() -> None:
    assert at_least(3, 5.0) == 1.0 and at_least(20, 1e-9) < 1e-100
    exact = 1 - sum(2.0**k / __import__("math").factorial(k) for k in range(6)) * __import__("math").exp(-2.0)
    assert at_least(6, 2.0) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("gap", "told"),
    [(ANY, ""), ("+1", "B above A by 10 to 100"), ("--2", "B below A by 0.01 to 0.10"), ("+3d", "B 3 days later"),
     ("-1d", "B 1 day earlier"), ("far", "more than a month apart"), ("0", "")],
)  # fmt: skip
def test_a_gap_as_people_read_it(gap: str, told: str) -> None:
    assert gap_text(gap) == told


def day_of(number: int, turned: int, folder: Any, trades: Reconciliation, party: str = "Beta") -> Run:  # noqa: ANN401
    """A day of pairs, of which some have their sign turned; each day has one other difference."""
    left = [row(f"D{number}K{n:02}", f"{n + 20}.00", party=party if n < turned else "Acme") for n in range(PAIRS)]
    right = [
        row(f"D{number}K{n:02}", f"{'-' if n < turned else ''}{n + 20}.00", party=party if n < turned else "Acme")
        for n in range(PAIRS - 1)
    ]
    return reconcile_rows(trades, folder, left, right, DAY + dt.timedelta(days=number))


@pytest.fixture(scope="module")
def days(once: Callable[[Callable[[Any], Any]], Any]) -> Any:  # noqa: ANN401
    """Three days with a turned sign each, a fourth with 25 turned signs of Beta, and where to deliver the next."""

    def make(folder: Any) -> Any:  # noqa: ANN401
        trades = define_trades(folder)
        for number in range(3):
            day_of(number, 1, folder, trades)
        assert not Incident.objects.exists()
        day_of(3, 25, folder, trades)
        return folder

    return once(make)


@pytest.fixture
def surge(days: Any, db: None) -> Incident:  # noqa: ANN401
    """What the fourth day opened."""
    return Incident.objects.get()


def test_a_run_with_a_surge_opens_one_incident(surge: Incident) -> None:
    assert (surge.breaks, surge.runs, surge.state, surge.reason) == (25, 3, "open", "SIGN_FLIP")
    assert surge.usual == pytest.approx(1.0) and surge.run == surge.last_run == Run.objects.latest("id")
    assert signature_text(surge).startswith("amount") and "party Beta" in signature_text(surge)
    assert surge.members.count() == 25 and problems() == []
    figures = figures_of([surge])[surge.pk]
    assert (figures.count, figures.waiting, figures.decided, figures.gone) == (25, 25, 0, 0)
    assert [(currency, int(amount)) for currency, amount in figures.sums] == [("EUR", sum(range(20, 45)))]


def test_a_run_is_counted_once_and_again_where_that_was_missed(surge: Incident) -> None:
    assert find_incidents(surge.run) == [] and Incident.objects.count() == 1 and unscanned() == []
    IncidentScan.objects.get(run=surge.run).delete()
    assert unscanned() == [surge.run]
    assert find_incidents(surge.run) == [] and Incident.objects.count() == 1  # it is open already
    assert IncidentBreak.objects.count() == 25


def test_only_the_last_runs_are_kept(surge: Incident, days: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    monkeypatch.setattr("review.incidents.finding.RUNS", 2)
    day_of(4, 1, days, surge.reconciliation)
    assert SignatureCount.objects.values("scan").distinct().count() == 4
    day_of(5, 1, days, surge.reconciliation)
    assert SignatureCount.objects.values("scan").distinct().count() == 4


def test_later_breaks_of_an_open_incident_join_it(surge: Incident, days: Any) -> None:  # noqa: ANN401
    run = day_of(4, 2, days, surge.reconciliation)
    surge.refresh_from_db()
    joined = surge.members.filter(brk__opened_run=run).count()
    assert joined == (2 if surge.gap == ANY else joined) and Incident.objects.count() == 1
    assert (surge.last_run == run) is bool(joined) and problems() == []


def test_it_is_decided_as_one_and_undone(surge: Incident, person: Callable[..., User]) -> None:
    analyst = person("Analyst")
    preview = choose_incident(incident=surge, by=analyst)
    assert len(preview.chosen) == 25 and f"Incident {surge.pk}: SIGN_FLIP" in preview.told
    bulk = start_bulk(preview=preview, action="override", reason="MANUAL_ENTRY_ERR", by=analyst)
    assert not work_on(bulk)
    surge.refresh_from_db()
    assert surge.state == "decided" and figures_of([surge])[surge.pk].decided == 25
    bulk.refresh_from_db()
    assert not work_on(undo_bulk(bulk=bulk, by=analyst))
    surge.refresh_from_db()
    assert surge.state == "open" and problems() == []


def test_it_closes_by_itself_when_its_breaks_are_gone(surge: Incident) -> None:
    Break.objects.filter(in_incidents__incident=surge).update(
        state="closed", closed_at=surge.found_at, closed_because="matched"
    )
    assert settle_incidents() == 1 and settle_incidents() == 0
    surge.refresh_from_db()
    assert surge.state == "closed" and figures_of([surge])[surge.pk].gone == 25


def test_single_decisions_settle_it_too(surge: Incident, person: Callable[..., User]) -> None:
    by = person("Analyst")
    for member in surge.members.select_related("brk"):
        decide(brk=member.brk, action="reject", by=by)
    assert settle_incidents() == 1
    surge.refresh_from_db()
    assert surge.state == "decided" and problems() == []


def test_a_row_taken_out_by_hand_is_named(surge: Incident) -> None:
    surge.members.earliest("pk").delete()
    assert problems() == [f"incident {surge.pk} was changed by hand."]


def test_the_pages(surge: Incident, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Analyst"))
    page = client.get(reverse("incidents")).content.decode()
    assert f"Incident {surge.pk}" in page and "SIGN_FLIP" in page and "party Beta" in page and "800.00 EUR" in page
    assert "No incident stands here." in client.get(reverse("incidents") + "?state=decided").content.decode()
    page = client.get(reverse("incident", args=[surge.pk])).content.decode()
    assert "Decide all 25 that wait" in page and "D3K00" in page
    shown = client.post(reverse("decide_incident", args=[surge.pk]), follow=True)
    assert "Decide 25 breaks" in shown.content.decode()
    bulk = client.post(shown.redirect_chain[-1][0] + "start/", {"action": "reject"})
    work_on(BulkDecision.objects.get())
    assert f'Incident</dt><dd><a href="/incidents/{surge.pk}/"' in client.get(bulk["Location"]).content.decode()
    page = client.get(reverse("incident", args=[surge.pk])).content.decode()
    assert "decided" in page and "Decide all" not in page and "25 of 25" in page
    again = client.post(reverse("decide_incident", args=[surge.pk]), follow=True).content.decode()
    assert "No break stands there now." in again
    for url in (reverse("incidents"), reverse("incident", args=[surge.pk])):
        with CaptureQueriesContext(connection) as seen:
            client.get(url)
        assert len(seen) <= BOUND


def test_a_program_reads_and_decides_them(surge: Incident, client: Client, person: Callable[..., User]) -> None:
    token = make_token(user=person("Analyst"), name="t", scopes=["read", "decide"], days=1)
    headers = {"Authorization": f"Token {token}", "Idempotency-Key": "one"}
    listed = client.get("/api/v1/incidents?state=open", headers=headers).json()["results"]
    one = client.get(f"/api/v1/incidents/{surge.pk}", headers=headers).json()
    assert listed == [one] and (one["waiting"], one["sums"]) == (25, [{"currency": "EUR", "amount": "800"}])
    body = {"incident": surge.pk}
    told = client.post("/api/v1/bulk-previews", body, content_type="application/json", headers=headers)
    assert told.status_code == 201 and told.json()["count"] == 25
    assert client.get("/api/v1/incidents?state=burnt", headers=headers).status_code == 400


def test_another_desk_sees_none(surge: Incident, client: Client, person: Callable[..., User]) -> None:
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    custody.seal([surge.reconciliation])
    client.force_login(person("Manager"))
    assert "Nothing surges" in client.get(reverse("incidents")).content.decode()
    assert client.get(reverse("incident", args=[surge.pk])).status_code == 404
    assert client.post(reverse("decide_incident", args=[surge.pk])).status_code == 404
