"""Which steps of a mapping changed a text: those that did, in their order, with what came out."""

from typing import Any

import pytest

from ingestion.mapping import FieldMapping
from ingestion.value_steps import ValueStep, value_steps


@pytest.mark.parametrize(
    ("document", "raw", "value", "expected"),
    [
        (
            {"clean": ["ends", "upper", {"remove": "-"}]}, " fx-1 ", "FX1",
            [("clean 1", "trim", "fx-1"), ("clean 2", "upper case", "FX-1"), ("clean 3", 'remove "-"', "FX1")],
        ),
        ({"clean": ["ends", "upper"]}, "FX1", "FX1", []),
        ({"parse": "%d.%m.%Y"}, "24.11.2026", "2026-11-24", [("read as", "date format %d.%m.%Y", "2026-11-24")]),
        (
            {"decimal": ",", "group": "."}, "1.254.000,00", "1254000.00",
            [("read as", 'decimal "," group "."', "1254000.00")],
        ),
        (
            {"clean": ["ends"], "values": {"B": "BUY"}}, "B ", "BUY",
            [("clean 1", "trim", "B"), ("values", "value map", "BUY")],
        ),
        ({"null": ["N/A"]}, "N/A", None, [("null", "null words", None)]),
        ({"clean": [{"replace": ["^(a+)+$", "x'"]}]}, "aaa", "x'", [("clean 1", "replace ^(a+)+$ by \"x'\"", "x'")]),
        ({"clean": [{"pad": 5}]}, "7", "00007", [("clean 1", 'pad to 5 with "0"', "00007")]),
        ({"clean": ["ends"]}, "'; DROP TABLE x; --", "'; DROP TABLE x; --", []),
        ({"clean": ["ends"]}, " " * 3000, None, []),
    ],
)  # fmt: skip
def test_the_steps_that_changed_a_text(
    document: dict[str, Any], raw: str, value: str | None, expected: list[tuple[str, str, str | None]]
) -> None:
    mapping = FieldMapping.from_document("x", {"column": "X", **document})
    assert value_steps(mapping, raw, value) == [ValueStep(*it) for it in expected]
