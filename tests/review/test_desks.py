"""Two desks crossed: whatever address a person of one desk asks for with what the other desk has, it is not there; and no list, count
or search tells of it. Both where the other desk has a reconciliation of its own, and where it sees other values of one."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from reconciliation.models import Reconciliation, Run, Team
from reconciliation.scoping import put_scope
from tests.conftest import DAY, row
from tests.review.test_access import addresses, filled, things  # noqa: F401 - a fixture

THEIRS = "Acme"  # the party of every record of the other desk
WITH_ID = re.compile(r"<int:pk>|\(\?P<pk>|<slug:code>|\(\?P<code>|<path:")
REFUSED = (403, 404, 405)
# What is not of a desk: a record type says what a record is, and its rows are narrowed each.
EVERYBODYS = {
    "admin/ingestion/recordtype/<int:pk>/stored/",
    "admin/ingestion/recordtype/<int:pk>/stored/import/",
    "admin/ingestion/recordtype/<int:pk>/stored/export/",
    r"api/v1/^store/(?P<code>[-\w]+)/?$",
}


def apart(way: str) -> None:
    """Give all that stands to the desk of Acme: as a reconciliation of its own, or as its part of one."""
    own, acme = Team.objects.create(code="beta"), Team.objects.create(code="acme")
    own.members.add(User.objects.get(username="beta"))
    if way == "reconciliation":
        Reconciliation.objects.update(team=acme)
    else:
        granted = {"acme": [THEIRS], "beta": ["Beta"]}
        put_scope(reconciliation=Reconciliation.objects.get(), field="party", granted=granted)


@pytest.fixture(params=["reconciliation", "scope"])
def beta(request: pytest.FixtureRequest, things: dict[str, int], person: Callable[..., User], client: Client) -> User:  # noqa: F811
    """Somebody of the desk of Beta who may all that no sight of every desk is needed for, signed in."""
    user = person("Manager", "beta")
    user.groups.add(*Group.objects.filter(name__in=("Supervisor", "Analyst")))
    user.is_staff = True
    user.save()
    apart(request.param)
    client.force_login(user)
    client.raise_request_exception = False
    return user


def places(things: dict[str, int]) -> Iterator[tuple[str, str]]:  # noqa: F811
    """Each address, as its pattern and with the other desk's ids."""
    for address in addresses(get_resolver()):
        if "<uuid" not in address and "logout" not in address and "sign-out" not in address:
            yield address, filled(address, things)


def test_what_the_other_desk_has_is_not_there(beta: User, things: dict[str, int], client: Client) -> None:  # noqa: F811
    given = {"action": "approve", "reconciliation": "trades", "date": f"{DAY}", "proposal": things["decisions"],
             "decision": things["decisions"], "break": things["breaks"], "breaks": things["breaks"]}  # fmt: skip
    wrong = []
    for pattern, url in places(things):
        if not WITH_ID.search(pattern) or pattern in EVERYBODYS:
            continue
        for ask, sent in ((client.get, {}), (client.post, given)):
            with transaction.atomic():
                status = ask(url, sent, headers={"Idempotency-Key": url}).status_code
                transaction.set_rollback(True)
            wrong += [] if status in REFUSED else [f"{ask.__name__.upper()} {url}: {status}"]
    assert wrong == []


def test_no_page_tells_of_the_other_desk(beta: User, things: dict[str, int], client: Client) -> None:  # noqa: F811
    wrong = []
    theirs = re.compile(rf"{THEIRS}|/breaks/({things['breaks']}|{things['break']})\b|proposer")
    for pattern, url in places(things):
        if WITH_ID.search(pattern) and pattern not in EVERYBODYS:
            continue
        answer = client.get(url)
        text = b"".join(answer).decode(errors="replace")
        wrong += [f"{url}: {it}" for it in sorted({it[0] for it in theirs.finditer(text)})]
        if answer.headers.get("Content-Type", "").startswith("application/json") and answer.json():
            wrong += [
                f"{url}: lists something"
                for _ in [1]
                if isinstance(answer.json(), dict) and answer.json().get("results")
            ]
    assert wrong == []
    for key in "ABC":
        assert client.get(f"/api/v1/search?key={key}").json()["hits"] == []
        assert client.get(f"/api/v1/journey?reconciliation=trades&key={key}").status_code == 404
        assert THEIRS not in client.get(f"/journey/?reconciliation=trades&key={key}").content.decode()
    assert client.get("/queue/?state=all").context["total"] == 0
    heat = client.get("/").context["heat"]
    assert heat is None or heat["total"] == 0


def test_each_desk_decides_its_own(
    things: dict[str, int],  # noqa: F811
    person: Callable[..., User],
    client: Client,
    reconcile: Callable[..., Run],
) -> None:
    person("Supervisor", "beta")
    apart("scope")
    reconcile([row("OWN", "5.00", party="Beta")], [row("OWN", "9.00", party="Beta")], DAY.replace(day=21))
    client.force_login(User.objects.get(username="beta"))
    assert [it.brk.key for it in client.get("/queue/").context["rows"]] == ["OWN"]
    assert client.get("/queue/").context["total"] == 1
    (mine,) = client.get("/api/v1/breaks").json()["results"]
    assert [it["key"] for it in client.get("/api/v1/search?key=O").json()["hits"]] == ["OWN"]
    said = {"action": "reject", "reason": "MANUAL_ENTRY_ERR", "comment": "typed wrongly"}
    answer = client.post(
        f"/api/v1/breaks/{mine['id']}/decisions", said, "application/json", headers={"Idempotency-Key": "own-1"}
    )
    assert answer.status_code == 201, answer.content
    assert client.get("/api/v1/journey?reconciliation=trades&key=OWN").status_code == 200
