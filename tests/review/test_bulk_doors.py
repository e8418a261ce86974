"""The doors of bulk decisions: pages without a script, parts for htmx, REST."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingestion import custody
from reconciliation.models import Break, Reconciliation, Run, Team
from review.bulk.summary import Sum, Summary
from review.bulk.working import work_on
from review.models import BulkDecision, BulkPreview, Decision
from review.tokens import make_token
from tests.conftest import problems
from tests.review.test_bulk import LEFT, RIGHT
from tests.review.test_query_bounds import BOUND
from tests.standing import lake_folder  # noqa: F401


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Breaks of every kind."""
    return standing(LEFT, RIGHT)


@pytest.fixture
def run(made: Run, db: None) -> Run:
    """The run that found them."""
    return made


@pytest.fixture
def api(run: Run, client: Client, person: Callable[..., User]) -> Callable[..., Any]:
    """Ask the API with an analyst's token of some scopes."""
    user, number = person("Analyst", "program"), iter(range(1000))

    def ask(
        method: str, path: str, body: object = None, *, scopes: tuple[str, ...] = ("read", "decide"), key: str = ""
    ) -> Any:  # noqa: ANN401
        token = make_token(user=user, name=f"t{next(number)}", scopes=list(scopes), days=1)
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": key or f"k{next(number)}"}
        send = client.get if method == "get" else client.post
        given = {} if method == "get" else {"content_type": "application/json"}
        return send(f"/api/v1/{path}", body if body is not None else {}, headers=headers, **given)  # type: ignore[arg-type]

    return ask


def worked_off() -> None:
    """What the worker does."""
    for bulk in BulkDecision.objects.filter(state="ready"):
        work_on(bulk)


def ids(*keys: str) -> dict[str, int]:
    """The breaks of these keys."""
    return dict(Break.objects.filter(key__in=keys).values_list("key", "pk"))


def test_a_filter_is_looked_at_decided_followed_and_undone(
    run: Run, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Analyst"))
    shown = client.post(reverse("choose_bulk"), {"whole": "1", "key": "S"}, follow=True)
    page = shown.content.decode()
    assert "Decide 2 breaks" in page and "Filter key:S" in page and "30.00" in page
    start = shown.redirect_chain[-1][0] + "start/"
    refused = client.post(start, {"action": "override", "comment": "kept"})
    assert refused.status_code == 400 and "An override gives a reason" in refused.content.decode()
    assert "kept" in refused.content.decode() and not BulkDecision.objects.exists()
    first = client.post(start, {"action": "approve", "comment": "agreed"})
    again = client.post(start, {"action": "approve", "comment": "agreed"})
    assert first.status_code == again.status_code == 302 and first["Location"] == again["Location"]
    part = client.get(first["Location"], headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in part and "<html" not in part and len(part) < 4000
    worked_off()
    page = client.get(first["Location"]).content.decode()
    assert 'hx-trigger="every 2s"' not in page and "<b>2</b> done" in page and "SIGN" in page and "Approved" in page
    lines = client.get(f"{first['Location']}results.csv").content.decode().splitlines()
    assert len(lines) == 3 and re.match(r"\d+,trades,S\w+,done,\d+,,2026", lines[1])
    undoing = client.post(f"{first['Location']}undo/", follow=True)
    assert "Undo 2 breaks" in undoing.content.decode()
    worked_off()
    assert Break.objects.filter(key__startswith="S", state="review").count() == 2 and problems() == []
    page = client.get(reverse("bulks")).content.decode()
    assert page.count("Bulk ") >= 2 and "agreed" in page


def test_checked_rows_with_other_states_are_told_apart(run: Run, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Analyst"))
    of = ids("SIGN", "TWICE", "HIGH", "SAME")
    Break.objects.filter(pk=of["SAME"])
    client.post(reverse("decide", args=[of["SAME"]]), {"action": "reject"})
    rows = [f"{of['SIGN']}:0123", f"{of['TWICE']}", f"{of['HIGH']}", f"{of['SAME']}"]
    page = client.post(reverse("choose_bulk"), {"row": rows}, follow=True).content.decode()
    told = {
        name.strip(): int(n) for name, n in re.findall(r'<th scope="row">([^<]+)(?:<span.*?</span>)?\s*</th>\s*<td class="num[^"]*">(\d+)<', page)
    }  # fmt: skip
    assert "Mixed." in page and "3 of 4 stand in review" in page
    assert (told["In review"], told["Rejected"]) == (3, 1)
    assert (told["With other values since they were chosen"], told["Held by a check or a flagged value"]) == (1, 1)
    assert told["Duplicates, of which somebody has to name the right row"] == 1


def test_what_cannot_be_chosen_is_said_on_the_queue(run: Run, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Analyst"))
    page = client.post(reverse("choose_bulk"), {"reason": "SIGN_FLIP"}, follow=True).content.decode()
    assert "No break was chosen." in page and "SIGN_FLIP" in page
    page = client.post(reverse("choose_bulk"), {"whole": "1", "key": "ZZ"}, follow=True).content.decode()
    assert "No break stands there now." in page
    assert client.post(reverse("choose_bulk"), {"row": ["0"]}).status_code == 404
    assert client.post(reverse("choose_bulk"), {"row": ["x" * 99]}).status_code == 404


def test_many_ask_for_their_number(
    run: Run, client: Client, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.bulk.bulks.TYPED_FROM", 1)
    monkeypatch.setattr("review.pages.bulk.TYPED_FROM", 1)
    client.force_login(person("Analyst"))
    shown = client.post(reverse("choose_bulk"), {"whole": "1", "key": "S"}, follow=True)
    start = shown.redirect_chain[-1][0] + "start/"
    assert 'name="typed"' in shown.content.decode()
    assert "Type the number 2" in client.post(start, {"action": "approve", "typed": "3"}).content.decode()
    assert client.post(start, {"action": "approve", "typed": "2"}).status_code == 302


def test_another_desk_finds_nothing(
    run: Run, trades: Reconciliation, client: Client, person: Callable[..., User], api: Any
) -> None:  # noqa: ANN401
    client.force_login(person("Analyst", "inside"))
    place = client.post(reverse("choose_bulk"), {"whole": "1", "key": "S"})["Location"]
    bulk = client.post(f"{place}start/", {"action": "approve"})["Location"]
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    client.force_login(person("Manager", "outside"))
    for url in (place, bulk, f"{bulk}results.csv"):
        assert client.get(url).status_code == 404
    assert client.post(f"{bulk}undo/").status_code == client.post(f"{place}start/").status_code == 404
    assert client.post(reverse("choose_bulk"), {"row": [str(ids("SIGN")["SIGN"])]}).status_code == 404
    assert (
        "Bulk decision" in client.get(reverse("bulks")).content.decode()
        and bulk not in client.get(reverse("bulks")).content.decode()
    )
    answer = api("post", "bulk-previews", {"breaks": [{"id": ids("SIGN")["SIGN"]}]})
    assert (answer.status_code, answer.json()["detail"]) == (404, "One of these breaks is not there.")


def test_a_program_chooses_decides_follows_and_undoes(run: Run, api: Any) -> None:  # noqa: ANN401
    answer = api("post", "bulk-previews", {"filters": {"key": "S"}})
    told = answer.json()
    assert answer.status_code == 201 and (told["count"], told["in_review"], told["is_mixed"]) == (2, 2, False)
    assert told["sums"] == [{"currency": "EUR", "count": 2, "amount": "30"}]
    asked = {"preview": told["preview"], "action": "reject", "comment": "wrong feed"}
    first = api("post", "bulk-decisions", asked, key="one")
    assert first.status_code == 201 and api("post", "bulk-decisions", asked, key="one").json() == first.json()
    assert api("post", "bulk-decisions", asked).json()["id"] == first.json()["id"] and BulkDecision.objects.count() == 1
    worked_off()
    bulk = f"bulk-decisions/{first.json()['id']}"
    assert (api("get", bulk).json()["done"], api("get", bulk).json()["state"]) == (2, "done")
    rows = api("get", f"{bulk}/rows?state=done").json()["results"]
    assert {it["key"] for it in rows} == {"SIGN", "SAME"} and Decision.objects.filter(pk=rows[0]["decision"]).exists()
    undone = api("post", f"{bulk}/undo", {})
    assert undone.status_code == 201 and undone.json()["undoes"] == first.json()["id"]
    worked_off()
    assert Break.objects.filter(key__startswith="S", state="review").count() == 2 and problems() == []
    assert api("post", f"{bulk}/undo", {}).status_code == 409
    assert len(api("get", "bulk-decisions").json()["results"]) == 2


def test_a_program_is_told_what_is_wrong(run: Run, api: Any) -> None:  # noqa: ANN401
    one = {"id": ids("SIGN")["SIGN"]}
    for path, body, status, said in (
        ("bulk-previews", {}, 400, "either breaks, filters or an incident"),
        ("bulk-previews", {"breaks": [one], "filters": {}}, 400, "either breaks, filters"),
        ("bulk-previews", {"filters": {"raeson": "X"}}, 400, "no filter"),
        ("bulk-previews", {"breaks": []}, 400, "No break was chosen"),
        ("bulk-previews", {"brakes": [one]}, 400, "no such field"),
        ("bulk-decisions", {"preview": "x", "action": "approve"}, 400, "UUID"),
        ("bulk-decisions", {"preview": "00000000-0000-0000-0000-000000000000", "action": "approve"}, 404, "No "),
        ("bulk-decisions/999/undo", {}, 404, "No "),
    ):
        answer = api("post", path, body)
        assert answer.status_code == status and said in answer.content.decode(), (path, body, answer.content)
    held = api("post", "bulk-previews", {"breaks": [one]}).json()["preview"]
    asked = {"preview": held, "action": "override"}
    assert "An override gives a reason" in api("post", "bulk-decisions", asked).json()["detail"]
    assert api("post", "bulk-decisions", asked, scopes=("read",)).status_code == 403
    assert BulkPreview.objects.exists() and not BulkDecision.objects.exists()


def test_pages_keep_to_their_bound(
    run: Run, trades: Reconciliation, client: Client, person: Callable[..., User]
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    custody.seal([trades])
    client.force_login(person("Manager"))
    place = client.post(reverse("choose_bulk"), {"whole": "1", "state": "all"})["Location"]
    counts = {place: _queries(client, place)}
    bulk = client.post(f"{place}start/", {"action": "approve"})["Location"]
    worked_off()
    counts |= {
        url: _queries(client, url) for url in (bulk, f"{bulk}?state=refused", f"{bulk}results.csv", reverse("bulks"))
    }
    assert {url: count for url, count in counts.items() if count > BOUND} == {}


def _queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_who_asked_stops_what_has_no_result_yet(
    run: Run, client: Client, person: Callable[..., User], api: Any
) -> None:  # noqa: ANN401
    client.force_login(person("Analyst"))
    preview = client.post(reverse("choose_bulk"), {"whole": "1", "key": "S"})["Location"]
    place = client.post(f"{preview}start/", {"action": "reject", "comment": "wrong feed"})["Location"]
    number = BulkDecision.objects.get().pk
    assert "Stop</button>" in client.get(place).content.decode()
    assert api("post", f"bulk-decisions/{number}/stop").status_code == 403  # another analyst's token
    page = client.post(f"{place}stop/", follow=True).content.decode()
    assert "Stopped by" in page and "Stop</button>" not in page
    worked_off()
    bulk = BulkDecision.objects.get()
    assert (bulk.state, bulk.done, bulk.refused) == ("done", 0, 2) and not Decision.objects.exists()
    assert "there is nothing to stop" in client.post(f"{place}stop/", follow=True).content.decode()
    assert api("post", f"bulk-decisions/{number}/stop").status_code == 409 and problems() == []


def test_a_preview_says_of_how_many_no_sum_speaks() -> None:
    sums = [Sum("EUR", 3, Decimal(30)), Sum("USD", 2, Decimal(5))]
    told = Summary(9, 1, sums, [], 8, moved=0, second=0, duplicates=0, held=0, audited=0, proposed=0)
    page = render_to_string("review/bulk_preview.html", {"summary": told, "preview": BulkPreview(told="x")})
    assert told.without_amount == 3 and re.search(r"No amount <span[^>]*>of 3 breaks<", page)
