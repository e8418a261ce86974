"""The order of the queue: what is due, large and old comes first, and nobody tells the calibration stream in it."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from attribution.models import Attribution, Candidate, Draw, ModelVersion
from reconciliation.models import Break, GateRefusal, Run
from tests.conftest import problems, row
from tests.standing import lake_folder  # noqa: F401

MANY = 60
SIZES = ("1000.00", "10.00", "10.00", "0.10")
LEFT = [row(f"S{n}", size) for n, size in enumerate(SIZES)] + [row(f"M{n:02}", "10.00") for n in range(MANY)]
RIGHT = [row(f"S{n}", f"-{size}") for n, size in enumerate(SIZES)] + [row(f"M{n:02}", f"{n}.17") for n in range(MANY)]


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Sign flips of several sizes, and sixty differences that nothing explains, one key on one side only."""
    return standing([*LEFT, row("ONLY")], RIGHT)


@pytest.fixture
def pages(made: Run, person: Callable[[str], User], client: Client) -> Callable[[str], list[str]]:
    """The keys of all pages of an address, in their order; a Supervisor is signed in."""
    client.force_login(person("Supervisor"))

    def walk(query: str = "") -> list[str]:
        keys: list[str] = []
        while query is not None:
            found = client.get(f"{reverse('queue')}?{query}").context
            keys += [it.brk.key for it in found["rows"]]
            if not (query := found["next"]):
                return keys
        return keys

    return walk


def test_the_largest_of_an_age_comes_first_and_the_smallest_last(made: Run, pages: Callable[[str], list[str]]) -> None:
    keys = pages("")
    assert keys[0] == "S0" and keys[-1] == "S3"
    assert sorted(keys) == sorted(Break.objects.filter(state="review").values_list("key", flat=True))
    assert problems() == []


def test_what_teaches_nothing_comes_after_its_like(made: Run, pages: Callable[[str], list[str]]) -> None:
    assert pages("").index("ONLY") > pages("").index("M59")


def test_calibration_lies_evenly_among_its_like(made: Run, pages: Callable[[str], list[str]]) -> None:
    drawn = set(Draw.objects.filter(purpose="calibration").values_list("brk__key", flat=True))
    alike = [key for key in pages("") if key not in ("S0", "S3", "ONLY")]
    places = [n / len(alike) for n, key in enumerate(alike) if key in drawn]
    assert len(places) >= 4
    for number, place in enumerate(sorted(places)):
        assert abs(place - (number + 0.5) / len(places)) < 1 / len(places)


@pytest.mark.parametrize("order", ["priority", "newest", "oldest", "amount"])
def test_pages_meet_each_break_once_whatever_the_order(
    order: str, made: Run, pages: Callable[[str], list[str]]
) -> None:
    keys = pages(f"order={order}")
    assert len(keys) == len(set(keys)) == Break.objects.filter(state="review").count()
    by_id = list(Break.objects.filter(state="review").order_by("id").values_list("key", flat=True))
    assert keys == {"newest": by_id[::-1], "oldest": by_id}.get(order, keys)
    if order == "amount":
        assert keys[0] == "S0" and keys[-1] == "S3"


@pytest.mark.parametrize("mark", ["x", "1_x", "x_1", "nan_3", "1e99_3", "_"])
def test_an_address_with_a_strange_mark_lists_nothing(mark: str, pages: Callable[[str], list[str]]) -> None:
    assert pages(f"after={mark}") == []


def test_what_is_closed_has_no_priority(made: Run, client: Client, pages: Callable[[str], list[str]]) -> None:
    assert pages("state=passed&order=priority") == pages("state=passed") == pages("state=passed&order=newest")
    titles = [it["title"] for it in client.get(f"{reverse('queue')}?state=passed").context["orders"]]
    assert titles == ["Newest first", "Oldest first"]


def _plan(client: Client, address: str, sorted_by: str, *, without: str) -> str:
    """How the database would list an address, with its ways of planning `without` switched off, one or more settings."""
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    listed = next(it["sql"] for it in asked if sorted_by in (it["sql"] or ""))
    with connection.cursor() as cursor:
        for way in without.split():
            cursor.execute(f"SET LOCAL {way} = off")
        cursor.execute(f"EXPLAIN {listed}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_the_priority_is_read_from_its_index(made: Run, client: Client, pages: Callable[[str], list[str]]) -> None:
    plan = _plan(client, f"{reverse('queue')}?order=priority", '"priority" ASC', without="enable_seqscan enable_sort")
    assert re.search(r"Index Scan using break_in_order", plan), plan


@pytest.mark.parametrize("young", ["age<1d", "opened>=2020-01-01"])
@pytest.mark.parametrize("door", ["/queue/", "/api/v1/breaks/"])
def test_what_is_of_another_age_is_skipped_in_the_index(
    door: str, young: str, made: Run, client: Client, pages: Callable[[str], list[str]]
) -> None:
    asked = urlencode({"q": young, "order": "priority"})
    assert pages(asked) == pages("")
    plan = _plan(client, f"{door}?{asked}", '"priority" ASC', without="enable_seqscan enable_sort")
    assert re.search(r"Index Scan using break_in_order.*\n\s*Index Cond: \(opened_at >=", plan), plan


def test_the_api_lists_in_the_same_order(made: Run, client: Client, pages: Callable[[str], list[str]]) -> None:
    for asked in ("order=priority", "order=amount", "order=priority&q=age%3C1d"):
        keys, url = [], f"/api/v1/breaks/?{asked}&limit=7"
        while url:
            answer = client.get(url).json()
            keys += [it["key"] for it in answer["results"]]
            url = answer["next"]
        assert keys == pages(asked)


def test_the_api_refuses_orders_that_there_are_not(
    made: Run, client: Client, pages: Callable[[str], list[str]]
) -> None:
    refused = client.get("/api/v1/breaks/?order=amounts")
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "There is no order 'amounts'; did you mean 'amount'?",
    )
    assert client.get("/api/v1/breaks/?order=priority&state=passed").status_code == 400


def test_what_is_unknown_says_why_nothing_explains_it(
    made: Run, client: Client, pages: Callable[[str], list[str]]
) -> None:
    rows = {it.brk.key: it for it in client.get(reverse("queue"), {"reason": "UNKNOWN", "key": "M59"}).context["rows"]}
    assert rows["M59"].line.proof == "No proof fits, and nothing hints at a reason."
    said = Attribution.objects.get(difference__brk__key="M59", current=True)
    Candidate.objects.create(attribution=said, rank=1, reason_id="FX_VARIANCE", confidence="0.41", evidence="Alike.")
    proof = client.get(reverse("queue"), {"key": "M59"}).context["rows"][0].line.proof
    assert proof == "FX_VARIANCE 41 %, under the 50 % that a reason needs. Alike."
    Candidate.objects.update(confidence="0.83")
    GateRefusal.objects.filter(brk__key="M59", condition="reason:amount").update(
        detail="No label has values like these."
    )
    proof = client.get(reverse("queue"), {"key": "M59"}).context["rows"][0].line.proof
    assert proof == "FX_VARIANCE 83 %, but not to be trusted. No label has values like these."


def test_the_queue_says_how_far_the_next_certificate_is(
    made: Run, client: Client, pages: Callable[[str], list[str]]
) -> None:
    assert "more reviews bring" not in client.get(reverse("queue")).content.decode()
    curve = {"functional_share": [[0.9, 100, 0], [0.5, 200, 20]]}
    ModelVersion.objects.create(
        reconciliation=made.reconciliation, version=1, artifact_sha256="0", trained_at=timezone.now(), labels=400,
        metrics={"curve": curve, "labels": 400},
    )  # fmt: skip
    for query in ({}, {"reconciliation": "trades"}):
        assert "trades</a>: " in client.get(reverse("queue"), query).content.decode().lower()
    assert "reviews" not in client.get(reverse("queue"), {"reconciliation": "other"}).content.decode()
