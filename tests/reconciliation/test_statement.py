"""The statement: why the two sums differ, per currency, to 0.00; a row that is lost leaves a rest."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import duckdb
import pytest

from config.pipeline import run_to_end
from ingestion.shape import Leaf, Shape
from reconciliation import diff, outcomes
from reconciliation.engine.duckdb_engine import compare
from reconciliation.models import Member, Reconciliation, Run
from reconciliation.money import money_of
from reconciliation.rules import Rules
from reconciliation.runs import start_run
from reconciliation.statement import EXACT_DIGITS, Line, Part, compile_statement, summed
from reconciliation.statement import accounts as accounts_of
from tests.conftest import DAY, DEFINITION, HEADER, problems, row

NEXT = dt.date(2026, 11, 23)
EXPLAINED = {"unexplained": "0.00", "unexplained_a": "0.00", "unexplained_b": "0.00", "unexplained_rows_a": 0,
             "unexplained_rows_b": 0}  # fmt: skip


def accounts(told: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """A statement's accounts by currency."""
    assert told is not None
    return {it["currency"]: it for it in told["currencies"]}


def of(run: Run) -> dict[str, dict[str, Any]]:
    """The accounts of a run's report."""
    assert run.report is not None
    return accounts(run.report["statement"])


def rest(account: dict[str, Any]) -> dict[str, Any]:
    """What is left unexplained."""
    return {name: account[name] for name in EXPLAINED}


def lines(account: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """What explains a difference, and how much of it, with what became of the breaks."""
    return {it["reason"] or it["what"]: (it["difference"], it["outcome"]) for it in account["lines"]}


def test_every_class_of_rows_explains_its_part(
    trades: Reconciliation, define: Callable[[str], object], deliver: Callable[..., object]
) -> None:
    define(DEFINITION.replace('"0.005"', '"0.05"'))
    deliver("left", f"{HEADER}\n{row('OLD', '3.00')}\n")
    left = [
        row("SAME"), row("NEAR", "1.04"), row("ROUND", "10.25"), row("SIGN", "20.00"), row("ALONE", "7.00"), row("TWICE", "5.00"),
        row("TWICE", "5.00"), row("HIGH", "5000.00"), row("OLD", "4.00"), row("MOVED", "9.00").replace("EUR", "USD"),
        row("ODD", "1.005"), row("", "6.00"), "ragged,row",
    ]  # fmt: skip
    right = [
        row("SAME"), row("NEAR", "1.00"), row("ROUND", "10.00"), row("SIGN", "-20.00"), row("OTHER", "2.50"), row("TWICE", "5.00"),
        row("HIGH", "5000.00"), row("OLD", "4.00"), row("MOVED", "9.00"), row("ODD", "1.00"),
    ]  # fmt: skip
    deliver("left", "\n".join([HEADER, *left, ""]))
    deliver("right", "\n".join([HEADER, *right, ""]))
    trades.refresh_from_db()
    found = of(run_to_end(start_run(reconciliation=trades, business_date=DAY)))
    euro = found["EUR"]
    assert (euro["a"], euro["b"], euro["difference"]) == ("5071.29", "5022.50", "48.79")
    assert lines(euro) == {
        "matched": ("0.04", ""), "missing_in_b": ("7.00", "review"), "missing_in_a": ("-2.50", "review"),
        "DATA_TYPE_MISMATCH": ("-1.00", "review"), "ROUNDING_DIFF": ("0.25", "passed"), "SIGN_FLIP": ("40.00", "review"),
        "UNKNOWN": ("-9.00", "review"), "duplicate": ("5.00", "review"), "gate": ("0.00", "review"), "superseded": ("3.00", ""),
        "quarantined": ("6.00", ""),
    }  # fmt: skip
    assert (found["USD"]["difference"], lines(found["USD"])) == ("9.00", {"UNKNOWN": ("9.00", "review")})
    assert [rest(it) for it in found.values()] == [EXPLAINED, EXPLAINED]
    assert problems() == []


def test_a_partner_that_comes_later_explains_its_own_day(trades: Reconciliation, reconcile: Callable[..., Run]) -> None:
    first = reconcile([row("A", "3.00"), row("B", "8.00")], [row("B", "8.00")])
    assert lines(of(first)["EUR"]) == {"matched": ("0.00", ""), "missing_in_b": ("3.00", "review")}
    second = reconcile([row("B", "8.00")], [row("A", "3.00")], NEXT)
    assert lines(of(second)["EUR"]) == {"late": ("-3.00", ""), "confirmed": ("8.00", "")}
    again = run_to_end(start_run(reconciliation=trades, business_date=DAY, by="test"))
    assert [rest(of(run)["EUR"]) for run in (first, second, again)] == [EXPLAINED] * 3
    assert problems() == []


def test_a_row_that_is_lost_on_the_way_leaves_a_rest(
    reconcile: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(duck: duckdb.DuckDBPyConnection, *given: Any) -> None:
        compare(duck, *given)
        duck.execute("DELETE FROM pair WHERE key = 'B'")

    monkeypatch.setattr(diff, "compare", lossy)
    monkeypatch.setattr(outcomes, "_nothing_lost", lambda *_: None)
    run = reconcile([row("A", "3.00"), row("B", "8.00")], [row("A", "3.00")])
    account = of(run)["EUR"]
    assert (account["unexplained"], account["unexplained_a"], account["unexplained_rows_a"]) == ("8.00", "8.00", 1)
    assert f"run {run.pk}: 1 row with 8.00 amount of side A in EUR stand nowhere." in problems()


def test_a_row_that_no_break_holds_any_more_is_named(reconcile: Callable[..., Run]) -> None:
    run = reconcile([row("A", "3.00")], [row("B", "8.00")])
    Member.objects.filter(brk__key="B").delete()
    assert accounts(compile_statement(run))["EUR"]["unexplained"] == "-8.00"
    assert f"run {run.pk}: 1 row with 8.00 amount of side B in EUR stand nowhere." in problems()


@pytest.mark.parametrize(
    ("fields", "gate", "found"),
    [
        ("amount: decimal, currency: text", {}, ("amount", "currency")),
        ("net: decimal, ccy: text, gross: decimal", {}, ("net", "ccy")),
        ("fee: decimal, net_amount: decimal", {}, ("net_amount", None)),
        ("net: decimal, note: text", {}, ("net", None)),
        ("units: integer, note: text", {"amount_field": "units"}, ("units", None)),
        ("amount: text, fee: decimal, currency: integer", {}, ("fee", None)),
        ("latitude: decimal, longitude: decimal", {}, None),
    ],
)
def test_the_amount_and_its_currency_are_found(
    fields: str, gate: dict[str, str], found: tuple[str, str | None] | None
) -> None:
    pairs = (part.split(": ") for part in fields.split(", "))
    leaves = tuple(Leaf(path=name, name=name, column=name, kind=kind) for name, kind in pairs)
    money = money_of(Shape("thing", leaves), Rules({"gate": gate}))
    assert (money and (money.amount.name, money.currency.name if money.currency else None)) == found


def test_sums_beyond_the_widest_decimal_are_exact() -> None:
    duck = duckdb.connect()
    duck.execute(
        "CREATE TABLE t AS SELECT 'a' AS side, CAST('-99999999999999999999999999999999999.123' AS DECIMAL(38,3)) AS amount, "
        "NULL::VARCHAR AS currency FROM range(1000)"
    )
    with localcontext(prec=EXACT_DIGITS):
        assert [str(it.amount) for it in summed(duck, "SELECT * FROM t")] == [
            "-99999999999999999999999999999999999123.000"
        ]


def test_too_many_currencies_are_told_as_one() -> None:
    duck = duckdb.connect()
    duck.execute("CREATE TABLE t AS SELECT 'a' AS side, 1 AS amount, 'C' || i AS currency FROM range(101) r(i)")
    parts = summed(duck, "SELECT * FROM t")
    assert [(it.currency, it.rows, it.amount) for it in parts] == [("*", 101, 101)]
    assert set(accounts_of(parts, [Part("a", "C1", 1, Decimal(1), Line("matched"))])) == {"*"}
