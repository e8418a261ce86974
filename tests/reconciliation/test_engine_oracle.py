"""The engine's SQL gives the oracle's answer, cell for cell."""

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.shape import Leaf, Shape
from reconciliation.engine.duckdb_engine import CompareSpec, compare
from reconciliation.engine.folding import folded_sql
from reconciliation.engine.rules import CompareRule
from tests.reconciliation.oracle import compare_rows

LEAVES = (
    Leaf("key", "key", "f1", "text", key=True),
    Leaf("amount", "amount", "f2", "decimal", digits=18, places=2),
    Leaf("name", "name", "f3", "text"),
    Leaf("day", "day", "f4", "date"),
)
NAMES = frozenset(leaf.name for leaf in LEAVES)
amounts = st.none() | st.decimals(min_value=-200, max_value=200, places=2)
texts = st.none() | st.sampled_from(
    ["abc", "ABC", " abc ", "a b c", "straße", "STRASSE", "é", "e", "a.b-c", "x", "N/A"]
)
days = st.none() | st.dates(date(2026, 11, 16), date(2026, 11, 30))
row = st.fixed_dictionaries(
    {
        "key": st.sampled_from("ABCDE"),
        "amount": amounts,
        "name": texts,
        "day": days,
        "flags": st.sampled_from([(), (), (), ("amount",), ("name", "day")]),
    }
)
small = st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("0.5"), Decimal(3)])
rules = st.fixed_dictionaries(
    {
        "amount": st.builds(CompareRule, absolute=small, relative=small, null_equals=st.sampled_from([(), ("0.00",)])),
        "name": st.builds(
            CompareRule,
            ignore=st.lists(st.sampled_from(["case", "ends", "spaces", "punctuation", "accents"]), unique=True).map(
                tuple
            ),
            null_equals=st.sampled_from([(), ("N/A",)]),
            skip=st.booleans(),
        ),
        "day": st.builds(CompareRule, days=st.integers(0, 3)) | st.builds(CompareRule, business_days=st.integers(0, 3)),
    }
)


def answer(
    left: list[dict[str, Any]], right: list[dict[str, Any]], given_rules: dict[str, CompareRule]
) -> dict[str, Any]:
    """The engine's answer in the oracle's words."""
    duck = duckdb.connect()
    for side, rows in (("a", left), ("b", right)):
        duck.execute(
            f"CREATE TABLE {side} (n BIGINT, bucket UTINYINT, key VARCHAR, f1 VARCHAR, raw_f1 VARCHAR, f2 DECIMAL(18,2), "
            "raw_f2 VARCHAR, f3 VARCHAR, raw_f3 VARCHAR, f4 DATE, raw_f4 VARCHAR, flags VARCHAR, delivery BIGINT, carried BOOLEAN)"
        )
        for n, r in enumerate(rows, 1):
            values = {name: None if name in r["flags"] else r[name] for name in ("amount", "name", "day")}
            duck.execute(
                f"INSERT INTO {side} VALUES (?, 0, ?, ?, NULL, ?, 'raw', ?, 'raw', ?, 'raw', ?, 1, false)",
                [n, r["key"], r["key"], values["amount"], values["name"], values["day"], ",".join(r["flags"]) or None],
            )
    compare(duck, "a", "b", CompareSpec(Shape("t", LEAVES), given_rules, NAMES, NAMES))
    return {
        "classes": dict(duck.execute("SELECT key, class FROM pair").fetchall()),
        "cells": set(duck.execute("SELECT key, field FROM cell").fetchall()),
        "twice": {key for (key,) in duck.execute("SELECT key FROM repeated_key").fetchall()},
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(row, max_size=6), st.lists(row, max_size=6), rules)
def test_the_engine_gives_the_oracles_answer(
    left: list[dict[str, Any]], right: list[dict[str, Any]], given_rules: dict[str, CompareRule]
) -> None:
    assert answer(left, right, given_rules) == compare_rows(left, right, given_rules)


def test_case_is_folded_in_full_for_every_character() -> None:
    duck = duckdb.connect()
    points = [n for n in range(1, 0x30000) if not 0xD800 <= n < 0xE000]
    duck.execute("CREATE TABLE chars AS SELECT unnest(?::VARCHAR[]) AS c, unnest(?::VARCHAR[]) AS folded",
                 [[chr(n) for n in points], [chr(n).casefold() for n in points]])  # fmt: skip
    wrong = duck.execute(f"SELECT c, folded FROM chars WHERE {folded_sql('c', ('case',))} <> folded").fetchall()
    assert [f"{ord(c):x}" for c, _ in wrong] == []


@pytest.mark.parametrize("places", [0, 2, 10])
def test_a_tolerance_holds_exactly_at_its_limit(places: int) -> None:
    step = Decimal(1).scaleb(-min(places, 2))
    rows = [
        [{"key": "A", "amount": amount, "name": None, "day": None, "flags": ()}]
        for amount in (Decimal(100), Decimal(100) + step)
    ]
    exact = {"amount": CompareRule(absolute=step), "name": CompareRule(), "day": CompareRule()}
    assert answer(rows[0], rows[1], exact)["classes"] == {"A": "matched"}
    below = exact | {"amount": CompareRule(absolute=step - Decimal("0.000001"))}
    assert answer(rows[0], rows[1], below)["classes"] == {"A": "differing"}
