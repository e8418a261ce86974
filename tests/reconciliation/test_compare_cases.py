"""The 112 compare cases against the peer's answers; where exact decimals rightly differ, the case is explained."""

import csv
from decimal import Decimal

import duckdb
import pytest

from ingestion.shape import Leaf, Shape
from reconciliation.engine.duckdb_engine import CompareSpec, compare
from reconciliation.engine.rules import CompareRule
from tests.conftest import SHARED

CASES = list(csv.DictReader((SHARED / "compare_cases" / "cases.csv").open(encoding="utf-8")))
EXPLAINED = {
    "14": "100 and 100.01 are exactly 0.01 apart, which 0.01 allows; in binary floats they are 0.0100000000000051 apart",
}
KINDS = {"number": "decimal", "text": "text", "date": "date"}


def _answer(case: dict[str, str]) -> bool:
    """Whether the engine calls the two values equal."""
    leaves = (
        Leaf("id", "id", "f1", "text", key=True),
        Leaf("x", "x", "f2", KINDS[case["type"]], digits=30, places=17),
    )
    ignore = tuple(w for w, on in (("case", case["ignore_case"]), ("ends", case["ignore_spaces"])) if on == "1")
    rule = CompareRule(absolute=Decimal(case["abs_tol"]), relative=Decimal(case["rel_tol"]), ignore=ignore)
    duck = duckdb.connect()
    for side in "ab":
        duck.execute(
            f"CREATE TABLE {side} AS SELECT 1::BIGINT n, 0::UTINYINT bucket, 'k' AS key, 'k' AS f1, NULL::VARCHAR raw_f1, "
            f"{_typed(leaves[1])} AS f2, NULL::VARCHAR raw_f2, NULL::VARCHAR flags, 1::BIGINT delivery, false carried",
            [case[side]],
        )
    names = frozenset({"id", "x"})
    compare(duck, "a", "b", CompareSpec(Shape("t", leaves), {"x": rule}, names, names))
    return duck.execute("SELECT class FROM pair").fetchall() == [("matched",)]


def _typed(leaf: Leaf) -> str:
    return f"CAST(nullif(?, '') AS {leaf.sql_type})"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_compare_case_gets_the_peers_answer_or_an_explained_one(case: dict[str, str]) -> None:
    peer = case["datacompy_1_1_0_equal"] == "True"
    assert _answer(case) == (peer if case["case"] not in EXPLAINED else not peer)
