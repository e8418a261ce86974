"""The set-up page: two files in, proposals with evidence out, each accepted, changed or refused; applying runs it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from config.pipeline import run_to_end
from ingestion.models import Delivery, Source
from reconciliation.models import Reconciliation, Run


@pytest.fixture
def administrator(person: Callable[[str], User], client: Client) -> User:
    user = person("Administrator")
    client.force_login(user)
    return user


def upload(client: Client, a: Path, b: Path) -> HttpResponse:
    with a.open("rb") as left, b.open("rb") as right:
        return client.post(reverse("setup"), {"a": left, "b": right})  # type: ignore[return-value]


@pytest.fixture
def draft(administrator: User, client: Client, shared: Path) -> str:
    """The address of a draft of the locale pair."""
    nasty = shared / "nasty"
    return upload(client, nasty / "pair_locale_a.csv", nasty / "pair_locale_b.csv").headers["Location"]


def form_of(client: Client, address: str) -> dict[str, str]:
    """What the page's form would post as it stands."""
    context = client.get(address).context
    form = {"code": context["code"], "date": "2026-11-20"}
    for row in context["rows"]:
        form |= {f"{name}_{row['n']}": row.get(name, "") for name in ("name", "type", "map_a", "map_b", "rule")}
        form |= {f"use_{row['n']}": "on"} if row["use"] else {}
    return form


def number_of(client: Client, address: str, name: str) -> int:
    return next(row["n"] for row in client.get(address).context["rows"] if row.get("name") == name)


def test_accepting_applies_the_definition_and_runs_it(client: Client, draft: str, shared: Path) -> None:
    page = client.get(draft).content.decode()
    assert "83.3" in page and "one value for each code in 17 of 18 rows" in page and "transaction_id = Referenz" in page
    answer = client.post(draft + "answer/", {**form_of(client, draft), "action": "apply"})
    run = Run.objects.get()
    assert answer.headers["Location"] == reverse("run", args=[run.pk])
    report = run_to_end(run).report
    assert report is not None
    assert report["records"] == {"matched": 15, "differing": 3, "missing_in_a": 1, "missing_in_b": 1, "duplicate": 1}
    assert set(Delivery.objects.values_list("file_name", flat=True)) == {"pair_locale_a.csv", "pair_locale_b.csv"}
    assert client.get(draft).status_code == 404


def test_each_field_shows_what_one_key_has_on_either_side(administrator: User, client: Client, tmp_path: Path) -> None:
    sides = {name: tmp_path / f"{name}.csv" for name in "ab"}
    for name, off in (("a", 0), ("b", 1)):
        rows = [f"K{n},{1000 + 10 * n + off}.00" for n in range(40)]
        sides[name].write_text("\n".join(["ref,amount", *(rows if name == "a" else rows[::-1])]) + "\n")
    place = upload(client, sides["a"], sides["b"]).headers["Location"]
    told = {
        it["name"]: (it["example_a"], it["example_b"]) for it in client.get(place).context["rows"] if it.get("name")
    }
    assert told["ref"][0] == told["ref"][1]
    assert float(told["amount"][1]) - float(told["amount"][0]) == 1


def test_a_field_is_refused_and_another_changed(client: Client, draft: str) -> None:
    form = form_of(client, draft)
    del form[f"use_{number_of(client, draft, 'side')}"]
    amount = number_of(client, draft, "amount")
    form |= {
        f"name_{amount}": "value",
        f"rule_{amount}": '{absolute: "0.02"}',
        "action": "apply",
        "code": "trades_2024",
    }
    client.post(draft + "answer/", form)
    reconciliation = Reconciliation.objects.get()
    assert reconciliation.code == "trades_2024"
    assert [field.code for field in reconciliation.record_type.current_fields()] == [
        "transaction_id", "trade_date", "value", "counterparty",
    ]  # fmt: skip
    report = run_to_end(Run.objects.get()).report
    assert report is not None and report["differences"]["by_field"] == {"trade_date": 1}


def test_what_cannot_be_read_is_named_and_nothing_is_applied(client: Client, draft: str) -> None:
    form = form_of(client, draft)
    amount = number_of(client, draft, "amount")
    for change, said in (
        ({f"type_{amount}": "{type: decimall}"}, "decimall"),
        ({f"map_b_{amount}": "{column: Betrag"}, "amount, map_b"),
        ({f"map_b_{amount}": "Betrag"}, "amount, map_b: write it as"),
        ({f"name_{amount}": "trade_date"}, "two fields have this name"),
        ({"date": "20.11.2026"}, "no date such as 2026-11-20"),
    ):
        answer = client.post(draft + "answer/", {**form, **change, "action": "apply"})
        assert answer.status_code == 400
        assert said in answer.content.decode()
        beside = [row["name"] for row in answer.context["rows"] if row["faults"]]
        assert beside == ([] if "date" in change else [change.get(f"name_{amount}", "amount")]) or "two fields" in said
    assert not Source.objects.exists() and not Run.objects.exists()


def test_changes_are_tried_on_the_files_before_they_are_applied(client: Client, draft: str) -> None:
    amount = number_of(client, draft, "amount")
    form = form_of(client, draft) | {f"rule_{amount}": '{absolute: "0.02"}', "action": "show"}
    page = client.post(draft + "answer/", form).content.decode()
    assert "KV, values: {K: BUY, V: SELL}" in page
    assert "88.9%" in page and "16 of 18 keys" in page
    assert not Source.objects.exists()


def test_files_that_nothing_can_be_learnt_from_are_refused_in_a_sentence(
    administrator: User, client: Client, shared: Path, lake: Path
) -> None:
    answer = upload(client, shared / "nasty" / "08_empty.csv", shared / "nasty" / "pair_locale_b.csv")
    assert answer.status_code == 400
    assert "empty" in answer.content.decode()
    assert list((lake / "setup").glob("*")) == []
    assert client.post(reverse("setup"), {}).status_code == 400


@pytest.mark.parametrize("role", ["Analyst", "Manager", "Auditor"])
def test_only_administrators_set_up(role: str, draft: str, person: Callable[[str], User], client: Client) -> None:
    client.force_login(person(role))
    assert client.get(reverse("setup")).status_code == 403
    assert client.get(draft).status_code == 403
    assert client.post(draft + "answer/", {"action": "apply"}).status_code == 403


def test_a_draft_is_its_maker_s_own(draft: str, person: Callable[..., User], client: Client) -> None:
    client.force_login(person("Administrator", "another"))
    assert client.get(draft).status_code == 404
    client.logout()
    assert client.get(draft).status_code == 302
