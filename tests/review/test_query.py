"""One query asks the same of the queue, the API, a bulk decision and an export."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reconciliation.models import Break, Run
from review.bulk.selecting import BadSelection, choose_filtered
from review.export_files import BadExport
from review.export_kinds import KINDS
from review.exporting import Wanted, ask_export
from review.holding import hold
from review.models import Incident
from review.models.incident import IncidentBreak
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

LEFT = [
    row("FX 1", "10.00"),
    row("FX 2", "900.00"),
    row("B", "10.25"),
    row("D"),
    row("D"),
    row("G", "5000.00"),
    row("U", "17.31"),
]
RIGHT = [
    row("FX 1", "-10.00"),
    row("FX 2", "-900.00"),
    row("B", "10.00"),
    row("E"),
    row("G", "5000.00"),
    row("U", "91.77"),
]


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> int:
    """Two sign flips, a rounding that passed, a duplicate, a failed check, a row on one side, and what nothing explains."""
    return standing(LEFT, RIGHT).pk


@pytest.fixture
def supervisor(made: int, person: Callable[[str], User], client: Client) -> User:
    """Who asks, signed in. Two breaks are old, one is theirs, one is on hold."""
    user = person("Supervisor")
    client.force_login(user)
    now = timezone.now()
    Break.objects.filter(key="FX 2").update(opened_at=now - dt.timedelta(days=3), due_at=now + dt.timedelta(hours=2))
    Break.objects.filter(key="G").update(opened_at=now - dt.timedelta(days=30), assignee=user)
    hold(brk=Break.objects.get(key="E"), by=user, note="asked", party="Acme Bank")
    incident = _incident(Run.objects.get(pk=made))
    IncidentBreak.objects.create(incident=incident, brk=Break.objects.get(key="FX 1"))
    return user


def _incident(run: Run) -> Incident:
    return Incident.objects.create(
        pk=77, reconciliation=run.reconciliation, run=run, last_run=run, field="amount", reason="SIGN_FLIP", gap="*", segment="*",
        breaks=20, usual=1, runs=3, found_at=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", {"FX 1", "FX 2", "D", "G", "U"}),
        ("reason:SIGN_FLIP", {"FX 1", "FX 2"}),
        ("-reason:SIGN_FLIP,UNKNOWN", {"D", "G"}),
        ("reason:UNKNOWN amount>10", {"U"}),
        ("amount>=900", {"FX 2", "G"}),
        ("amount:5..20", {"FX 1", "U"}),
        ("-amount>10.5", {"FX 1", "D"}),
        ("amount:900.00", {"FX 2"}),
        ("age>2d", {"FX 2", "G"}),
        ("age:2d..10d", {"FX 2"}),
        ("age:old", {"G"}),
        ("age<2d", {"FX 1", "D", "U"}),
        ("FX", {"FX 1", "FX 2"}),
        ('"FX 2"', {"FX 2"}),
        ("-FX", {"D", "G", "U"}),
        ("key:f", set()),
        ("state:held", {"E"}),
        ("held:yes", {"E"}),
        ('state:all party:"Acme Bank"', {"E"}),
        ("state:review,held", {"FX 1", "FX 2", "D", "E", "G", "U"}),
        ("-state:review,held", {"B"}),
        ("state:all proof:yes", {"FX 1", "FX 2", "D", "E", "G"}),
        ("field:amount", {"FX 1", "FX 2", "U"}),
        ("-field:amount", {"D", "G"}),
        ("due<4h", {"FX 2"}),
        ("due<1h", set()),
        ("due:none", {"FX 1", "D", "G", "U"}),
        ("assigned:me", {"G"}),
        ("-assigned:me", {"FX 1", "FX 2", "D", "U"}),
        ("assigned:nobody,others", {"FX 1", "FX 2", "D", "U"}),
        ("kind:gate,duplicate", {"D", "G"}),
        ("source:left -kind:differing", {"D", "G"}),
        ("reconciliation:trades kind:gate", {"G"}),
        ("date:2026-11-20 kind:gate", {"G"}),
        ("date>2026-11-20", set()),
        ("incident:77", {"FX 1"}),
        ("currency:EUR kind:gate", {"G"}),
        ("state:passed", {"B"}),
        ("confidence<50%", {"U"}),
        ("opened>2026-11-20 kind:gate", set()),
    ],
)  # fmt: skip
def test_a_query_lists_the_same_everywhere(query: str, keys: set[str], supervisor: User, client: Client) -> None:
    page = client.get(reverse("queue"), {"q": query}).context
    assert (page["refused"], {it.brk.key for it in page["rows"]}, page["total"]) == ("", keys, len(keys))
    if query:
        answer = client.get("/api/v1/breaks/", {"q": query}).json()
        assert {it["key"] for it in answer["results"]} == keys
    lines = KINDS["queue"].lines(supervisor, {"q": query})
    assert {line[0] for line in lines} == keys
    if keys:
        chosen = choose_filtered(query={"q": query}, by=supervisor)
        assert {Break.objects.get(pk=it["id"]).key for it in chosen.chosen} == keys


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("reason:UNKNOWN colour:red", "There is no word 'colour'."),
        ("reconciliation:nowhere", "reconciliation has no value 'nowhere'; there is trades."),
        ("source:nowhere", "source has no value 'nowhere'; there is left, right."),
        ("reason:SIGN", "reason has no value 'SIGN'; did you mean 'SIGN_FLIP'?"),
        ("amount>'; DROP TABLE", "is no number"),
    ],
)
def test_a_query_that_cannot_be_is_refused_everywhere(
    query: str, sentence: str, supervisor: User, client: Client
) -> None:
    page = client.get(reverse("queue"), {"q": query})
    assert page.status_code == 400 and page.context["rows"] == []
    assert "Nothing is listed until the query can be read." in page.content.decode()
    assert sentence in page.context["refused"] and f'value="{query.split()[0]}' in page.content.decode().replace(
        "&gt;", ">"
    ).replace("&#x27;", "'")
    answer = client.get("/api/v1/breaks/", {"q": query})
    assert answer.status_code == 400 and sentence in answer.json()["detail"]
    with pytest.raises(BadSelection, match="(?s).+"):
        choose_filtered(query={"q": query}, by=supervisor)
    with pytest.raises(BadExport) as refused:
        ask_export(wanted=Wanted("queue", "csv", {"q": query}), by=supervisor)
    assert sentence in str(refused.value)


def test_a_facet_and_the_box_are_one(supervisor: User, client: Client) -> None:
    page = client.get(reverse("queue"), {"q": "amount>5 -assigned:others", "order": "newest"})
    kinds = next(it for it in page.context["facets"] if it["name"] == "kind")
    gate = next(it for it in kinds["options"] if it["value"] == "gate")
    assert gate["count"] == 1
    chosen = client.get(f"{reverse('queue')}?{gate['query']}").context
    assert chosen["typed"] == "amount>5 -assigned:others kind:gate" and chosen["order"] == "newest"
    assert [it["text"] for it in chosen["tokens"]] == ["amount>5", "-assigned:others", "kind:gate"]
    less = client.get(f"{reverse('queue')}?{chosen['tokens'][0]['query']}").context
    assert less["typed"] == "-assigned:others kind:gate"


def test_the_api_takes_a_query_and_a_parameter_together(supervisor: User, client: Client) -> None:
    answer = client.get("/api/v1/breaks/", {"q": "amount>5", "state": "passed"}).json()
    assert [it["key"] for it in answer["results"]] == ["B"]
    assert client.get("/api/v1/breaks/", {"q": "state:held", "order": "priority"}).status_code == 400
    assert client.get("/api/v1/breaks/", {"q": "amount>5", "order": "amount"}).json()["results"][0]["key"] == "G"


def test_others_are_not_listed_whatever_is_asked(
    supervisor: User, client: Client, person: Callable[[str], User]
) -> None:
    stranger = User.objects.create_user("stranger")
    client.force_login(stranger)
    for query in ("state:all", "-key:zzz", "-state:passed", "field:amount"):
        answer = client.get(reverse("queue"), {"q": query})
        assert answer.status_code in (200, 403) and not (answer.context and answer.context["rows"])


def test_what_the_tally_does_not_know_is_counted_as_far_as_people_take_it_in(
    supervisor: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = client.get(reverse("queue"), {"q": "amount>1"}).context
    assert [it["count"] for it in page["tabs"]] == [4, None, None, None, None, None, None]
    monkeypatch.setattr("review.counting.MOST", 3)
    bounded = client.get(reverse("queue"), {"q": "amount>1"})
    assert "Decide all listed" in bounded.content.decode() and bounded.context["total"] is None
    assert bounded.context["told"] == "more than 3" and "4 shown of more than 3" in bounded.content.decode()
    options = [it for facet in bounded.context["facets"] for it in facet["options"]]
    assert {"kind", "reason"} <= {it["name"] for it in bounded.context["facets"]}
    assert options and all(it["count"] is None for it in options)
    for tallied in ("kind:gate", "kind:gate opened<=2999-12-31", "kind:gate -opened:2020-01-01..2020-01-31"):
        assert client.get(reverse("queue"), {"q": tallied}).context["told"] == "1"
    for nothing in ("opened<2020-01-01", "opened:2020-01-01", "-opened>2020-01-01"):
        assert client.get(reverse("queue"), {"q": nothing}).context["told"] == "0"
