"""What other programs rely on: exports of any run, decisions from the command line, keys as they were delivered."""

import csv
import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from config.pipeline import run_to_end
from reconciliation.models import Break, Reconciliation, Run, Team
from reconciliation.runs import start_run
from review.decisions import waive
from review.exports import BadExport, export
from review.models import Decision
from tests.conftest import DAY, DEFINITION, problems, row

Reconcile = Callable[..., Run]
KEYS = """
record_types: {thing: {fields: {order: {type: text, key: true}, key: {type: text}}}}
sources:
  x: {record_type: thing, mapping: &m {order: {column: order}, key: {column: key}}}
  y: {record_type: thing, mapping: *m}
reconciliations: {things: {a: x, b: y}}
"""
COMPOSITE = """
record_types:
  account: {fields: {bank: {type: text, key: true}, number: {type: integer, key: true}}}
  thing: {fields: {k: {type: text, key: true}, account: {type: reference, to: account}}}
sources:
  x: {record_type: thing, mapping: &m {k: {column: k}, account.bank: {column: bank}, account.number: {column: no}}}
  y: {record_type: thing, mapping: *m}
reconciliations: {things: {a: x, b: y, gate: {checks: [{field: account, rule: not_null}]}}}
"""
NEXT_DAY = DAY + dt.timedelta(days=1)


def lines(what: str, run: Run, folder: Path) -> list[dict[str, str]]:
    """An export, read back."""
    target = folder / "out.csv"
    export(what, run, target)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def decide(key: str, action: str, **options: object) -> str:
    """The command's answer."""
    said = StringIO()
    call_command("decide", key, reconciliation="trades", action=action, stdout=said, **options)
    return said.getvalue()


def test_a_run_is_exported_also_after_later_runs(reconcile: Reconcile, tmp_path: Path) -> None:
    left = [row("A"), row("U", "10.00"), row("L")]
    first = reconcile(left, [row("A"), row("U", "77.31")])
    told = {what: lines(what, first, tmp_path) for what in ("differences", "breaks", "store", "records")}
    again = reconcile()
    assert {what: lines(what, first, tmp_path) for what in told} == told
    assert [line["key"] for line in lines("store", again, tmp_path)] == ["A"]
    assert [(it["key"], it["field"]) for it in lines("differences", again, tmp_path)] == [
        ("L", "*row*"),
        ("U", "amount"),
    ]


def test_a_run_exports_the_values_that_it_found(reconcile: Reconcile, tmp_path: Path) -> None:
    first = reconcile([row("U", "10.00")], [row("U", "77.31")])
    second = reconcile([row("U", "11.00")], [row("U", "77.31")], NEXT_DAY)
    third = reconcile([row("U", "77.31")], [row("U", "77.31")], NEXT_DAY + dt.timedelta(days=1))
    found = [[it["value_a"] for it in lines("differences", run, tmp_path)] for run in (first, second, third)]
    assert found == [["10.00"], ["11.00"], []]
    assert third.report is not None and third.report["differences"]["total"] == 0
    assert [it["outcome"] for it in lines("differences", second, tmp_path)] == ["passed"]


def test_a_late_partner_is_exported_with_its_lag(reconcile: Reconcile, tmp_path: Path) -> None:
    reconcile([row("L")], [row("A")])
    late = reconcile(None, [row("L")], NEXT_DAY)
    told = [(it["key"], it["field"], it["reason"], it["outcome"]) for it in lines("differences", late, tmp_path)]
    assert told == [("L", "*row*", "TIMING_LAG", "passed")]


@pytest.mark.parametrize("key", ["A|B", "C\\D", "x\\|y"])
def test_a_single_key_is_its_text(reconcile: Reconcile, tmp_path: Path, key: str) -> None:
    run = reconcile([row(key), row("Z")], [row(key, "77.31"), row("Z")])
    assert [it["key"] for it in lines("differences", run, tmp_path)] == [key]
    assert decide(key, "approve").startswith(f"{key}: approved")
    assert [it["key"] for it in lines("store", run, tmp_path)] == sorted([key, "Z"])
    assert problems() == []


def test_without_a_user_the_command_line_decides(reconcile: Reconcile) -> None:
    reconcile([row("U", "10.00")], [row("U", "77.31")])
    said = decide("U", "override", reason="FX_VARIANCE", values=["amount=77.31", "day="])
    decision = Decision.objects.get()
    assert said == f"U: overridden as FX_VARIANCE (decision {decision.pk}). The break is approved.\n"
    user = User.objects.get()
    assert (user.username, user.has_usable_password()) == ("command", False)
    assert Break.objects.get().state == "approved"
    with pytest.raises(CommandError, match="There is no user 'nobody'. There is command."):
        decide("U", "approve", user="nobody")


def test_a_second_person_confirms_by_deciding_the_same(
    trades: Reconciliation, reconcile: Reconcile, person: Callable[..., User]
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    reconcile([row("U", "10.00")], [row("U", "77.31")])
    person("Supervisor", "ann")
    person("Supervisor", "sue")
    decide("U", "approve", user="ann")
    with pytest.raises(CommandError, match="Nobody confirms their own"):
        decide("U", "approve", user="ann")
    with pytest.raises(CommandError, match="approve by ann. Decide the same to confirm it"):
        decide("U", "reject", user="sue")
    assert Break.objects.get().state == "review"
    decide("U", "approve", user="sue")
    assert Break.objects.get().state == "approved"


def test_a_value_that_does_not_fit_is_never_approved_away(reconcile: Reconcile, tmp_path: Path) -> None:
    run = reconcile([row("F", "ten"), row("G", "10.00"), row("L", "ten")], [row("F", "10.00"), row("G", "ten")])
    for key in ("F", "L"):
        with pytest.raises(CommandError, match="amount ten does not fit its field"):
            decide(key, "approve")
    decide("G", "approve")
    decide("F", "override", values=["amount=10.00"])
    decide("L", "override", values=["amount="])
    assert [(it["key"], it["amount"]) for it in lines("store", run, tmp_path)] == [
        ("F", "10.00"),
        ("G", "10.00"),
        ("L", ""),
    ]


def test_each_exported_record_has_the_state_in_which_it_stands(reconcile: Reconcile, tmp_path: Path) -> None:
    left = [row("A"), row("U"), row("D"), row("D"), row("R"), row("P", "10.25")]
    run = reconcile(left, [row("A"), row("U", "77.31"), row("D"), row("R", "77.31"), row("P", "10.00")])
    decide("R", "reject")
    found = {(it["key"], it["side"], it["state"]) for it in lines("records", run, tmp_path)}
    assert {(key, state) for key, side, state in found if side == "a"} == {
        ("A", "stored"), ("U", "in_review"), ("D", "in_review"), ("D", "duplicate"), ("R", "rejected"), ("P", "stored"),
    }  # fmt: skip
    reconcile([row("U", "77.31")], None, NEXT_DAY)
    assert {it["state"] for it in lines("records", run, tmp_path) if it["key"] == "U"} == {"superseded", "stored"}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx", ".json", ".xml", ".CSV"])
def test_a_field_called_key_is_exported_beside_the_key(
    define: Callable[[str], object], deliver: Callable[..., object], tmp_path: Path, suffix: str
) -> None:
    define(KEYS)
    for side in ("x", "y"):
        deliver(side, "order,key\n1,a\n")
    run = run_to_end(start_run(reconciliation=Reconciliation.objects.get(), business_date=DAY))
    assert export("store", run, tmp_path / f"out{suffix}") == 1
    assert [(it["_key"], it["order"], it["key"]) for it in lines("store", run, tmp_path)] == [("1", "1", "a")]


def test_what_excel_cannot_hold_is_refused(reconcile: Reconcile, tmp_path: Path) -> None:
    run = reconcile([row("A", party="x" * 40_000)], [row("A", party="y" * 40_000)])
    with pytest.raises(BadExport, match="Line 1 does not fit into a sheet of Excel"):
        export("differences", run, tmp_path / "out.xlsx")
    assert export("differences", run, tmp_path / "out.csv") == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx", ".json", ".xml"])
def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, suffix: str) -> None:
    taken = tmp_path / f"taken{suffix}"
    taken.mkdir()
    with pytest.raises(BadExport, match="taken.* could not be written: Is a directory"):
        export("breaks", Run(pk=1), taken)


def test_an_attribute_of_nothing_is_held_and_not_lost(reconcile: Reconcile, tmp_path: Path) -> None:
    rows = [row("A"), row("N", party="", country=""), row("C", party="", country="DE")]
    run = reconcile(rows, rows)
    assert [it["key"] for it in lines("store", run, tmp_path)] == ["A", "N"]
    with pytest.raises(CommandError, match="party.country is given, but party is empty"):
        decide("C", "approve")
    decide("C", "override", values=["party.name=Acme"])
    assert [(it["key"], it["party"]) for it in lines("store", run, tmp_path)] == [
        ("A", "Acme"),
        ("C", "Acme"),
        ("N", ""),
    ]


def test_a_break_of_another_team_is_not_there(
    trades: Reconciliation, reconcile: Reconcile, person: Callable[..., User]
) -> None:
    reconcile([row("U")], [row("U", "77.31")])
    person("Supervisor", "sue")
    trades.team = Team.objects.create(code="others")
    trades.save()
    with pytest.raises(CommandError, match="There is no break of key 'U' in trades that sue may see"):
        decide("U", "approve", user="sue")
    decide("U", "approve")


def test_two_checks_of_one_rule_on_a_field_are_two(
    define: Callable[[str], object], trades: Reconciliation, reconcile: Reconcile, person: Callable[..., User]
) -> None:
    lower, upper = ("{field: amount, rule: between, " + bound + "}" for bound in ('min: "50"', 'max: "5"'))
    define(DEFINITION.replace('{field: amount, rule: between, min: "0", max: "1000"}', f"{lower}, {upper}"))
    trades.refresh_from_db()
    reconcile([row("A")], [row("A")])
    brk = Break.objects.get()
    held = {it.condition: it.sentence for it in brk.refusals.all()}
    assert held == {
        "check:amount:between": "amount 10.00 is not at least 50.",
        "check:amount:between:2": "amount 10.00 is not at most 5.",
    }
    waive(brk=brk, condition="check:amount:between:2", by=person("Manager"), comment="once")
    with pytest.raises(CommandError, match="is not at least 50"):
        decide("A", "approve")
    decide("A", "override", values=["amount=60"])


def test_a_composite_reference_must_be_there(
    define: Callable[[str], object], deliver: Callable[..., object], tmp_path: Path
) -> None:
    define(COMPOSITE)
    for side in ("x", "y"):
        deliver(side, "k,bank,no\n1,A,7\n2,,\n")
    run = run_to_end(start_run(reconciliation=Reconciliation.objects.get(), business_date=DAY))
    assert [it["key"] for it in lines("store", run, tmp_path)] == ["1"]
    assert [it["proof"] for it in lines("differences", run, tmp_path)] == ["account is empty; it must have a value."]
