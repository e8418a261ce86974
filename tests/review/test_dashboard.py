"""The dashboard: its figures add up, lead to what they count, are computed beside the page, and survive an emptied cache."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ingestion.models import Alert
from reconciliation.models import Break, Reconciliation, Run, Team
from review.assigning import assign
from review.decisions import decide
from review.figures import refresh_due, refresh_figures
from review.models import Figures
from tests.conftest import row
from tests.standing import standing_trades  # noqa: F401

LEFT = [row("SAME"), row("SIGN", "10.00"), row("ROUND", "10.25"), row("GATE", "5000.00"), row("ONLY-A"), "x,y"]
RIGHT = [row("SAME"), row("SIGN", "-10.00"), row("ROUND", "10.00"), row("GATE", "5000.00")]


@pytest.fixture
def run(reconcile: Callable[..., Run]) -> Run:
    """A run with something of most outcomes; the cache knows it."""
    return reconcile(LEFT, RIGHT)


def shown(client: Client, **query: str) -> Any:  # noqa: ANN401
    """What the template was given."""
    return client.get(reverse("dashboard"), query).context


def test_the_flow_adds_up_to_the_strip_and_leads_to_its_breaks(
    run: Run, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Supervisor"))
    page = shown(client)
    lines, strip = page["flow"]["lines"], page["strip"]
    assert strip["unaccounted"] == 0 and sum(it["rows"] for it in lines) == strip["received"] == 10
    by_state = {cell["title"]: cell["rows"] for cell in strip["cells"]}
    for title, rows in by_state.items():
        assert sum(it["rows"] for it in lines if it["state"] == title) == rows
    flows = {(it["side"], it["outcome"], it["state"]): it["url"] for it in lines}
    url = flows["Left", "Record check", "In review"]
    assert [it.brk.key for it in client.get(url).context["rows"]] == ["GATE"]
    assert [it["stp"] for it in page["rates"]["rows"]] == [pytest.approx(0.4)]


def test_figures_are_read_and_not_computed_and_the_cache_may_be_lost(
    run: Run, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Supervisor"))
    assert shown(client)["told"].source == "redis"
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        assert shown(client)["told"].source == "sql"
    assert len(asked) <= 12
    said = [it["sql"] or "" for it in asked]  # of what a session keeps prepared, nothing is captured
    assert not [it for it in said if "reconciliation_member" in it or "outcomecount" in it]
    assert shown(client)["told"].source == "redis"


def test_what_is_due_is_computed_anew_and_what_takes_long_less_often(run: Run, person: Callable[..., User]) -> None:
    held, now = Figures.objects.get(), timezone.now()
    decide(
        brk=Break.objects.get(key="ROUND" if Break.objects.filter(key="ROUND", state="review") else "SIGN"),
        action="reject",
        by=person("Supervisor"),
    )
    assert refresh_due(now) == 0
    Figures.objects.update(computed_at=now - dt.timedelta(minutes=1), seconds=60)
    assert refresh_due(now) == 0
    Figures.objects.update(seconds=0.1)
    assert refresh_due(now) == 1
    again = Figures.objects.get().document
    assert again["states"]["rejected"] == held.document["states"]["rejected"] + 2 and again["unaccounted"] == 0


def test_one_sees_the_figures_of_ones_own_desk(
    run: Run, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    trades.team = Team.objects.create(code="desk")
    trades.save()
    client.force_login(person("Analyst"))
    page = shown(client, reconciliation="trades")
    assert page["chosen"] is None and "strip" not in page and page["runs"] == []


def test_my_work_counts_what_its_lists_show(
    run: Run, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    analyst, supervisor = person("Analyst"), person("Supervisor")
    Reconciliation.objects.update(four_eyes=True)
    sign, only = Break.objects.get(key="SIGN"), Break.objects.get(key="ONLY-A")
    assign(brk=only, to=analyst, by=supervisor)
    decide(brk=sign, action="reject", reason="SIGN_FLIP", by=analyst)
    counts = {}
    other = person("Analyst", "other")  # of the same rights, so that both share a query
    for user in (analyst, supervisor, other):
        client.force_login(user)
        counts[user] = {it.title: it.count for it in shown(client)["work"]}
        for it in shown(client)["work"]:
            listed = client.get(it.url).context["rows"]
            assert len(listed) == it.count, it.title
    assert counts[analyst] == {"Assigned to me": 1, "My proposals that wait": 1, "Mentions": 0}
    assert counts[supervisor]["Waiting for my confirmation"] == 1
    assert 'Reject <span class="sub">SIGN_FLIP</span>' in client.get(reverse("proposed")).content.decode()
    assert counts[other] == {"Assigned to me": 0, "My proposals that wait": 0, "Mentions": 0}


def test_breaks_over_their_time_are_told_while_there_are_any(run: Run, trades: Reconciliation) -> None:
    Break.objects.filter(key="SIGN").update(due_at=timezone.now() - dt.timedelta(hours=1))
    assert refresh_figures(trades).document["overdue"] == 1  # type: ignore[union-attr]
    assert Alert.objects.get(event="break.overdue").cleared_at is None
    Break.objects.update(due_at=None)
    refresh_figures(trades)
    assert Alert.objects.get(event="break.overdue").cleared_at is not None
