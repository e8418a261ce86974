"""A corrected re-delivery: what it changes is shown, decisions on unchanged values stay, and an older day changes nothing newer."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.pipeline import run_to_end
from reconciliation.conservation import conservation
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.runs import start_run
from review.tokens import make_token
from tests.conftest import DAY, HEADER, Deliver, problems, row


@pytest.fixture
def api(client: Client, person: Callable[[str], User]) -> Callable[..., Any]:
    """Ask the API as a manager's program; GET, or POST with `given`."""
    token = make_token(user=person("Manager"), name="t", scopes=["read", "run", "decide"])

    def ask(path: str, **given: object) -> Any:  # noqa: ANN401
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": path}
        send = client.post if given else client.get
        kept = {"data": given, "content_type": "application/json"} if given else {}
        return send(f"/api/v1/{path}", headers=headers, **kept)

    return ask


def decided(api: Callable[..., Any], key: str, action: str) -> str:
    """Decide the break of a key by REST; gives its state."""
    brk = api(f"breaks?key={key}").json()["results"][0]
    return str(api(f"breaks/{brk['id']}/decisions", action=action).json()["state"])


LEFT = [
    row("KEEP", "10.00"),
    row("EDIT", "20.00"),
    row("DROP", "3.00"),
    row("TWO", "4.00"),
    row("TWO", "5.00"),
    row("OK"),
]
CORRECTED = [
    row("OK"), row("EDIT", "21.00", party="Other"), row("KEEP", "10.00"), row("TWO", "5.00"), row("TWO", "5.00"), row("NEW"),
]  # fmt: skip


@pytest.fixture
def first(reconcile: Callable[..., Run], api: Callable[..., Any]) -> Run:
    """A run with two breaks that are decided."""
    run = reconcile(LEFT, [row("KEEP", "-10.00"), row("EDIT", "-20.00"), row("OK")])
    assert [decided(api, "KEEP", "reject"), decided(api, "EDIT", "approve")] == ["rejected", "approved"]
    return run


@pytest.fixture
def fixed(first: Run, deliver: Deliver) -> int:
    """The delivery that corrects the run's left one."""
    return deliver("left", "\n".join([HEADER, *CORRECTED, ""])).delivery_id


def test_what_a_correction_changes_is_told(first: Run, fixed: int, api: Callable[..., Any]) -> None:
    told = api(f"deliveries/{fixed}/changes").json()
    assert told["counts"] == {"changed": 2, "added": 1, "removed": 1, "same": 3}
    assert told["supersedes"] == first.inputs.get(side="a").normalization.delivery_id
    assert [(it["kind"], it["key"], it["former_record"], it["record"]) for it in told["records"]] == [
        ("changed", "EDIT", 2, 2), ("changed", "TWO", 4, 4), ("added", "NEW", None, 6), ("removed", "DROP", 3, None),
    ]  # fmt: skip
    assert told["records"][0]["cells"] == [
        {"field": "party", "before": "Acme", "after": "Other"}, {"field": "amount", "before": "20.00", "after": "21.00"},
    ]  # fmt: skip
    (dropped,) = api(f"deliveries/{fixed}/changes?kind=removed&first=0").json()["records"]
    assert (dropped["key"], dropped["cells"][0]) == ("DROP", {"field": "id", "before": "DROP", "after": None})
    assert api(f"deliveries/{fixed}/changes?kind=none").status_code == 400
    assert api(f"deliveries/{told['supersedes']}/changes").status_code == 404


def test_what_a_correction_changes_is_reopened(first: Run, fixed: int, trades: Reconciliation) -> None:
    second = run_to_end(start_run(reconciliation=trades, business_date=DAY))
    assert {it.key: it.state for it in Break.objects.filter(key__in=["KEEP", "EDIT", "NEW"])} == {
        "KEEP": "rejected", "EDIT": "review", "NEW": "review",
    }  # fmt: skip
    third = run_to_end(start_run(reconciliation=trades, business_date=DAY))
    assert [conservation(run).unaccounted for run in (first, second, third)] == [0, 0, 0]
    assert problems() == []


def test_what_a_correction_changes_is_shown(fixed: int, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Auditor"))
    page = client.get(reverse("delivery", args=[fixed])).content.decode()
    assert reverse("changes", args=[fixed]) in page
    part = client.get(reverse("changes", args=[fixed]), headers={"HX-Request": "true"}).content.decode()
    assert "2 changed" in part and "1 removed" in part and "increments" in part and "<html" not in part
    assert "DROP" not in client.get(reverse("changes", args=[fixed]), {"kind": "added"}).content.decode()


def test_a_day_that_comes_again_never_overwrites_a_later_one(
    reconcile: Callable[..., Run], api: Callable[..., Any]
) -> None:
    later = DAY + dt.timedelta(days=3)
    reconcile([row("X", "10.00"), row("Y", "1.00")], [row("X", "10.00"), row("Y", "1.00")])
    reconcile([row("X", "20.00")], [row("X", "20.00")], later)
    run = reconcile([row("X", "15.00"), row("Y", "2.00")], [row("X", "15.00"), row("Y", "2.00")])
    stored = {it["id"]: (it["amount"], it["_date"]) for it in api("store/trade").json()["results"]}
    assert stored == {"X": ("20.00", str(later)), "Y": ("2.00", str(DAY))}
    assert run.report is not None
    assert [run.report["sides"][side]["superseded"] for side in "ab"] == [1, 1]
    assert run.report["statement"]["currencies"][0]["unexplained_a"] == "0.00"
    assert problems() == []
