"""The arrival board of the dashboard: expected, arrived, late, missing and run, per source and date."""

import datetime as dt
import html
import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ingestion.deadlines import put_deadline
from ingestion.expectations import plan_expectations
from ingestion.models import Delivery, Normalization, Source
from reconciliation.models import Reconciliation, Team
from reconciliation.runs import advance_run, start_run
from review import arrivals
from tests.conftest import HEADER, row

THURSDAY, FRIDAY = dt.date(2026, 11, 19), dt.date(2026, 11, 20)
Deliver = Callable[..., Normalization]


def noon(day: dt.date, hour: int = 12, minute: int = 0) -> dt.datetime:
    """A moment in UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute), dt.UTC)


@pytest.fixture
def two_days(trades: Reconciliation, deliver: Deliver) -> None:
    """`left` is due at 18:30 in Berlin (17:30 UTC): late on Thursday, and run; `right` came in time, and owes nothing."""
    left = Source.objects.get(code="left")
    put_deadline(source=left, at=dt.time(18, 30), zone="Europe/Berlin", after=0, grace=10, now=noon(THURSDAY))
    for source, hour in (("left", 18), ("right", 17)):
        made = deliver(source, f"{HEADER}\n{row('A')}\n", THURSDAY)
        Delivery.objects.filter(pk=made.delivery_id).update(received_at=noon(THURSDAY, hour, 2))
    plan_expectations(noon(FRIDAY))
    advance_run(start_run(reconciliation=trades, business_date=THURSDAY))


def board(client: Client, monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> dict[str, list[str]]:
    """The board at a moment: the cells of each source, as they are read."""
    with monkeypatch.context() as clock:
        clock.setattr(arrivals, "timezone", SimpleNamespace(now=lambda: now))
        page = client.get("/").content.decode()
    table = page.split('class="t board"')[1].split("</table>")[0]
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL) for line in table.split("<tr>")[1:]]
    texts = [[_text(cell) for cell in line] for line in lines]
    return {line[0]: line[1:] for line in texts}


def _text(cell: str) -> str:
    named = re.sub(r'<svg[^>]*aria-label="(\w+)".*?</svg>', r"\1 ", cell, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", named)).split())


@pytest.mark.usefixtures("two_days")
def test_each_state_is_shown_in_the_zone_of_its_deadline(
    client: Client, person: Callable[[str], User], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(person("Analyst"))
    run = Reconciliation.objects.get().runs.get().pk
    assert board(client, monkeypatch, noon(FRIDAY)) == {
        "Source": ["Thu 19 Nov", "Fri 20 Nov"],
        "Left 18:30": [f"late 19:02 run {run}", "expected by 18:30"],
        "Right": [f"run 17:02 run {run}", ""],
    }
    late = board(client, monkeypatch, noon(FRIDAY, 18, 10))
    assert late["Left 18:30"][1] == "missing 40 min late"
    assert "Left of 20 Nov 2026 is missing" in " ".join(client.get("/").content.decode().split())  # by now


@pytest.mark.usefixtures("two_days")
def test_what_arrived_in_time_and_was_not_run_is_arrived(
    client: Client, person: Callable[[str], User], deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(person("Analyst"))
    made = deliver("left", f"{HEADER}\n{row('B')}\n", FRIDAY)
    Delivery.objects.filter(pk=made.delivery_id).update(received_at=noon(FRIDAY, 17, 40))
    assert board(client, monkeypatch, noon(FRIDAY, 18))["Left 18:30"][1] == "arrived 18:40"
    Normalization.objects.filter(pk=made.pk).update(state="failed")
    assert board(client, monkeypatch, noon(FRIDAY, 18))["Left 18:30"][1] == "missing 30 min late"


@pytest.mark.usefixtures("two_days")
def test_the_board_shows_only_sources_of_ones_teams(client: Client, person: Callable[..., User]) -> None:
    team = Team.objects.create(code="others")
    team.members.add(person("Analyst", "other"))
    Reconciliation.objects.update(team=team)
    client.force_login(User.objects.get(username="other"))
    assert "Left" in client.get("/").content.decode()
    client.force_login(person("Analyst"))
    page = client.get("/").content.decode()
    assert "No source has delivered yet, and none has a deadline." in page
    assert "Left" not in page
