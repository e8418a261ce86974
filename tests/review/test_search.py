"""Search by the beginning of a key, over what one may see, in few queries over indexes."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from config.pipeline import run_to_end
from ingestion.changes import Change
from ingestion.models import Normalization
from reconciliation.models import Reconciliation, Run, Team
from reconciliation.runs import start_run
from review.search import _BREAKS, MOST, prefix_pattern, search_keys
from tests.conftest import DAY, DEFINITION, HEADER, row
from tests.standing import standing_trades  # noqa: F401

COMPOSITE = """
record_types:
  leg: {fields: {deal: {type: text, key: true}, number: {type: integer, key: true}, amount: {type: decimal, digits: 9, places: 2}}}
sources:
  x: {record_type: leg, mapping: &m {deal: {column: deal}, number: {column: no}, amount: {column: amount}}}
  y: {record_type: leg, mapping: *m}
reconciliations: {legs: {a: x, b: y}}
"""
ODD = ["a%b", "a_b", "a\\b", "'; DROP", "<b>", "\u00c4rger", "a b", '"quoted"']


def told(text: str) -> list[tuple[str, str, str]]:
    """What a search over everything finds."""
    every = list(Reconciliation.objects.select_related("a__record_type"))
    return [(it.key, it.reconciliation.code, it.state) for it in search_keys(every, text).hits]


def test_breaks_and_stored_rows_are_found_by_their_beginning(reconcile: Callable[..., Run]) -> None:
    reconcile(
        [row("FX1"), row("FX12", "5.00"), row("FX2", "10.25"), row("G")],
        [row("FX1"), row("FX12", "77.00"), row("FX2", "10.00")],
    )
    assert told("FX") == [("FX1", "trades", "Stored"), ("FX12", "trades", "In review"), ("FX2", "trades", "Stored")]
    assert told("FX12") == [("FX12", "trades", "In review")]
    assert told("FX1")[0][0] == "FX1" and told("fx") == [] and told("") == [] and told("x" * 3000) == []


@pytest.mark.parametrize("key", ODD)
def test_odd_keys_are_found_and_their_signs_are_no_wildcards(
    reconcile: Callable[..., Run], client: Client, person: Callable[..., User], key: str
) -> None:
    quoted = f'"{key.replace(chr(34), chr(34) * 2)}",2026-11-20,Acme,DE,1.00,EUR'
    reconcile([quoted, row("aXb"), row("zz")], [quoted, row("aXb"), row("zz", "9.00")])
    assert told(key) == [(key, "trades", "Stored")]
    client.force_login(person("Analyst"))
    answer = client.get("/search/", {"key": key}, follow=True)
    assert answer.redirect_chain and "Stored as version 1" in answer.content.decode()


def test_a_composite_key_is_found_by_whole_parts_and_the_beginning_of_the_last(
    define: Callable[[str], list[Change]], deliver: Callable[..., Normalization]
) -> None:
    define(COMPOSITE)
    lines = "deal,no,amount\nD1,1,5.00\nD1,2,5.00\nD2,1,5.00\n"
    deliver("x", lines)
    deliver("y", lines.replace("D2,1,5.00", "D2,1,6.00"))
    run_to_end(start_run(reconciliation=Reconciliation.objects.get(code="legs"), business_date=DAY, by="test"))
    assert [it[0] for it in told("D")] == ["D1|1", "D1|2", "D2|1"]
    assert [it[0] for it in told("D1")] == ["D1|1", "D1|2"] and told("D1|2") == [("D1|2", "legs", "Stored")]
    assert told("D2|1") == [("D2|1", "legs", "In review")] and told("D1|x") == told("D1|1|1") == []


def test_each_sees_the_keys_of_their_own_reconciliations(
    trades: Reconciliation,
    define: Callable[[str], list[Change]],
    deliver: Callable[..., Normalization],
    reconcile: Callable[..., Run],
    client: Client,
    person: Callable[..., User],
) -> None:
    reconcile([row("K1"), row("K2", "5.00")], [row("K1"), row("K2", "77.00")])
    define(DEFINITION + "  backwards: {a: right, b: left}\n")
    for source in ("left", "right"):
        deliver(source, "\n".join([HEADER, row("K3")]) + "\n", DAY.replace(day=23))
    run_to_end(
        start_run(
            reconciliation=Reconciliation.objects.get(code="backwards"), business_date=DAY.replace(day=23), by="test"
        )
    )
    assert [it[:2] for it in told("K")] == [("K1", "trades"), ("K2", "trades"), ("K3", "backwards")]
    Reconciliation.objects.filter(code="trades").update(team=Team.objects.create(code="desk"))
    client.force_login(person("Analyst"))
    page = client.get("/search/?key=K").content.decode()
    assert "K3" in page and "K1" not in page and "K2" not in page
    hits = client.get("/api/v1/search?key=K").json()["hits"]
    assert [(it["key"], it["reconciliation"]) for it in hits] == [("K3", "backwards")]
    client.force_login(User.objects.create_user("nobody"))
    assert "No break and no stored row" in client.get("/search/?key=K").content.decode()


def test_more_than_can_be_shown_is_said(
    reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    reconcile([row(f"M{number:03}") for number in range(MOST + 5)], [row("M000")])
    client.force_login(person("Analyst"))
    page = client.get("/search/?key=M").content.decode()
    assert f"the first {MOST}; type more of the key" in page and page.count("<tr>") == MOST + 1
    assert client.get("/api/v1/search?key=M").json()["is_cut"] is True


def test_the_plan_uses_the_index_of_keys(reconcile: Callable[..., Run]) -> None:
    run = reconcile([row("A")], [row("A")])
    owner = run.reconciliation_id
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reconciliation_break (reconciliation_id, key, bucket, kind, state, fingerprint, hash, opened_run_id, last_run_id, "
            "opened_at, closed_at, closed_because, band, reason, currency) SELECT %s, 'K' || n, 0, 'differing', 'closed', '', '', %s, %s, now(), "
            "now(), '', '', '', '' FROM generate_series(1, 20000) n",
            [owner, run.pk, run.pk],
        )
        cursor.execute("ANALYZE reconciliation_break")
        given = {"reconciliation_id": [owner], "scope_id": [], "pattern": prefix_pattern("K1234"), "most": 51}
        cursor.execute("EXPLAIN " + _BREAKS, given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "break_by_key" in plan and "Seq Scan on reconciliation_break" not in plan


def test_what_others_stored_is_not_walked_through(
    reconcile: Callable[..., Run], client: Client, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    reconcile([row(f"M{number}") for number in range(5)], [row(f"M{number}") for number in range(5)])
    run = Run.objects.get()
    hidden, own = run.reconciliation, Reconciliation.objects.get()
    hidden.team = Team.objects.create(code="desk")
    hidden.save()
    own.pk, own.code, own.team = None, "own", None
    own.save()
    monkeypatch.setattr("review.search.LOOKED", 5)
    client.force_login(person("Analyst"))
    assert "Too many keys begin with" in client.get("/search/?key=M").content.decode()
    assert "No break and no stored row" in client.get("/search/?key=M4").content.decode()
