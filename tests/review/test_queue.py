"""The queue: its counts are those of the lists that they lead to."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reconciliation.models import Break, Run
from review.decisions import decide
from tests.conftest import DAY, problems, row
from tests.standing import lake_folder  # noqa: F401

LEFT = [row("A1", "10.00"), row("A2", "20.00"), row("B", "10.25"), row("D"), row("D"), row("G", "5000.00"), row("U")]
RIGHT = [row("A1", "-10.00"), row("A2", "-20.00"), row("B", "10.00"), row("E"), row("G", "5000.00")]
OPTION = re.compile(r'<a href="\?([^"]*)"( aria-current="true")?>.*?<span>([\d,]+)</span></a>', re.DOTALL)


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> int:
    """Two sign flips, a rounding, a duplicate, a failed check, one key in A only and one in B only."""
    return standing(LEFT, [*RIGHT[:-1], row("G", "5000.00")]).pk


@pytest.fixture
def run(made: int, person: Callable[[str], User], client: Client) -> Run:
    """That run; a Supervisor is signed in."""
    client.force_login(person("Supervisor"))
    return Run.objects.get(pk=made)


def _listed(client: Client, query: str) -> set[str]:
    return {row.brk.key for row in client.get(f"{reverse('queue')}?{query}").context["rows"]}


def test_every_facet_leads_to_as_many_breaks_as_it_says(run: Run, client: Client) -> None:
    for query in ("", "state=all", "kind=differing", "reason=SIGN_FLIP&kind=differing"):
        page = client.get(f"{reverse('queue')}?{query}").content.decode()
        options = OPTION.findall(page)
        assert options
        for target, is_on, count in options:
            found = client.get(f"{reverse('queue')}?{target.replace('&amp;', '&')}").context
            assert is_on or len(found["rows"]) == found["total"] == int(count)


def test_a_facet_counts_under_the_others_filters_but_not_its_own(run: Run, client: Client) -> None:
    kinds = client.get(reverse("queue"), {"kind": "differing", "state": "all"}).context["facets"][0]["options"]
    assert {it["value"]: it["count"] for it in kinds} == {
        "differing": 3,
        "missing_in_a": 1,
        "missing_in_b": 1,
        "duplicate": 1,
        "gate": 1,
    }


def test_filters_meet(run: Run, client: Client) -> None:
    assert _listed(client, "reason=SIGN_FLIP") == {"A1", "A2"}
    assert _listed(client, "reason=SIGN_FLIP&key=A2") == {"A2"}
    assert _listed(client, f"run={run.pk}&kind=gate") == {"G"}
    assert _listed(client, "run=x") == _listed(client, "reconciliation=nowhere") == _listed(client, "after=x") == set()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("resaon=SIGN_FLIP", "which the queue does not know; did you mean &#x27;reason&#x27;?"),
        ("kind=gate&kind=differing", "&#x27;kind&#x27; stands 2 times in the address."),
        ("<script>=1", "&lt;script&gt;"),
    ],
)
def test_what_an_address_asks_for_is_not_passed_over(run: Run, client: Client, query: str, says: str) -> None:
    page = client.get(f"{reverse('queue')}?{query}")
    assert (page.status_code, page.context["rows"]) == (400, []) and says in page.content.decode()


def test_an_empty_list_says_which_filter_to_clear(run: Run, client: Client, person: Callable[[str], User]) -> None:
    def told(**asked: str) -> str:
        return client.get(reverse("queue"), asked).content.decode()

    assert "No break matches kind:differing key:Z." in told(kind="differing", key="Z", state="all")
    assert "No break matches kind:differing reason:DUPLICATE_ENTRY." in told(kind="differing", reason="DUPLICATE_ENTRY")
    by = person("Analyst")
    for key in ("A1", "A2"):
        decide(brk=Break.objects.get(key=key), action="reject", by=by)
    assert "No break in this state matches reason:SIGN_FLIP; 2 in other states do." in told(reason="SIGN_FLIP")
    assert "No break in this state matches key:A1." in told(key="A1") and "Look in every state" in told(key="A1")
    assert _listed(client, "band=nothing") == set()


def test_a_break_bears_the_reason_that_a_person_gave_it(
    run: Run, client: Client, person: Callable[[str], User]
) -> None:
    by = person("Manager")
    decide(brk=Break.objects.get(key="A1"), action="override", by=by, reason="FX_VARIANCE")
    decide(brk=Break.objects.get(key="A2"), action="override", by=by, reason="PENDING_INVESTIGATION")
    assert _listed(client, "state=approved&reason=FX_VARIANCE") == {"A1"}
    assert _listed(client, "reason=PENDING_INVESTIGATION") == {"A2"}
    assert problems() == []


def test_a_break_that_closed_late_bears_the_lag(run: Run, reconcile: Callable[..., Run]) -> None:
    assert Break.objects.get(key="U").reason == "MISSING_SOURCE_B"
    reconcile([row("Z")], [row("U"), row("Z")], DAY + dt.timedelta(days=1))
    late = Break.objects.get(key="U")
    assert (late.state, late.reason) == ("closed", "TIMING_LAG")
    assert problems() == []


def test_ages_are_listed_as_the_dashboard_counts_them(run: Run, client: Client) -> None:
    for days, key in ((2, "A1"), (5, "A2"), (400, "D")):
        Break.objects.filter(key=key).update(opened_at=timezone.now() - dt.timedelta(days=days))
    assert _listed(client, "age=3d") == {"A1"}
    assert _listed(client, "age=7d") == {"A2"}
    assert _listed(client, "age=old") == {"D"}
    assert _listed(client, "age=soon") == set()
    heat = client.get(reverse("dashboard")).context["heat"]
    cells = [cell for line in heat["lines"] for cell in line["cells"]]
    assert heat["total"] == sum(cell["count"] for cell in cells) == len(_listed(client, ""))
    assert all(len(_listed(client, cell["query"])) == cell["count"] for cell in cells)
