"""Each mapping step does to a value what it is for, and a step that cannot be has its place."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pytest

from config.definitions.faults import BadDefinition
from ingestion import lake
from ingestion.models import Normalization
from ingestion.shape import canonical_sql

Deliver = Callable[..., Normalization]
Define = Callable[[str], object]
FLAG = "flagged"
MONEY = "type: decimal, digits: 18, places: 2"


def define_value(define: Define, field: str, mapping: str) -> None:
    """A source `given` with the field `v`."""
    define(
        f"record_types: {{thing: {{fields: {{k: {{type: text, key: true}}, v: {{{field}}}}}}}}}\n"
        f"sources: {{given: {{record_type: thing, mapping: {{k: {{column: k}}, v: {{{mapping}}}}}}}}}\n"
    )


def read_values(deliver: Deliver, texts: Sequence[str]) -> list[Any]:
    """The canonical texts that the texts become; FLAG for a flagged one."""
    told = io.StringIO()
    csv.writer(told).writerows([["k", "v"], *([n, text] for n, text in enumerate(texts))])
    work = deliver("given", told.getvalue())
    leaf = work.mapping.source.record_type.shape().leaf("v")
    value = canonical_sql(leaf, leaf.column)
    duckdb.execute("SET TimeZone = 'UTC'")
    query = f"SELECT {value}, flags FROM read_parquet('{lake.local(work.path)}') ORDER BY n"
    return [FLAG if flags else text for text, flags in duckdb.execute(query).fetchall()]


@pytest.mark.parametrize(
    ("field", "mapping", "becomes"),
    [
        ("type: text", "column: v", {" a  b ": " a  b ", "": None, "N/A": "N/A"}),
        ("type: text", "column: v, clean: [ends, collapse, upper]", {" a  b ": "A B", " ": None}),
        ("type: text", "column: v, clean: upper", {"abc": "ABC"}),
        ("type: text", 'column: v, clean: [strip_accents, {remove: "-"}]', {"Zo\u00eb-1": "Zoe1", "-": None}),
        ("type: text", "column: v, clean: [{pad: 4, with: x}]", {"12": "xx12", "12345": "12345"}),
        ("type: text", 'column: v, clean: [{replace: ["(a+)b", "<\\\\1>"]}]', {"aab": "<aa>"}),
        ("type: text", "column: v, null: [null, N/A], clean: [upper]", {"null": None, "n/a": None, "NA": "NA"}),
        ("type: text", "column: v, values: {B: BUY, X: null, 1: true}", {"B": "BUY", "X": None, "1": "true", "o": "o"}),
        ("type: text", "column: v, values: {B: BUY}, others: flag", {"B": "BUY", "S": FLAG, "": None}),
        ("type: integer", "column: v, values: {one: 1}, others: flag", {"one": "1", "2": FLAG}),
        ("type: integer, choices: [1, 2]", "column: v", {"1": "1", "3": FLAG}),
        ("type: text, choices: [true, no]", "column: v", {"true": "true", "no": "no", "yes": FLAG}),
        ("type: text", "value: true", {"x": "true"}),
        ("type: text", "value: null", {"x": None}),
        (MONEY, "column: v", {"1.5": "1.50", "1,5": FLAG, "1.005": FLAG, "-0": "0.00", "1e3": "1000.00"}),
        (MONEY, 'column: v, decimal: ",", group: "."', {"1.234,5": "1234.50", "12.34": FLAG}),
        (MONEY, "column: v, percent: divide", {"12%": "0.12", "12.5%": FLAG}),
        (MONEY, 'column: v, factor: "1000"', {"1.5": "1500.00", "9999999999999999": FLAG, "0.00001": "0.01"}),
        (MONEY, 'column: v, factor: "0.000000001"', {"1000000000": "1.00", "1": FLAG, "9e15": "9000000.00"}),
        (MONEY, 'column: v, factor: "1000000000000"', {"1.5": "1500000000000.00", "99999": FLAG}),
        ("type: decimal, digits: 38, places: 10", 'column: v, factor: "0.000000001"', {"1000000000.5": FLAG, "5": "0.0000000050"}),
        (MONEY, "column: v, round: 1", {"1.25": "1.30", "-1.25": "-1.30", "1.2499999": "1.20"}),
        ("type: decimal, digits: 4, places: 4", "column: v", {".5": "0.5000", "-0.25": "-0.2500"}),
        ("type: date", "column: v", {"2026-11-20": "2026-11-20", "20.11.2026": FLAG}),
        ("type: date", 'column: v, parse: "%d.%m.%Y"', {"1.2.2026": "2026-02-01", "20.11.26": FLAG}),
        ("type: date", 'column: v, parse: ["%d.%m.%Y", "%d.%m.%y"]', {"20.11.26": "2026-11-20", "20.11.2026": "2026-11-20"}),
        ("type: date", 'column: v, parse: ["%d/%m/%Y", "%m/%d/%Y"]', {"3/4/2026": FLAG, "5/5/2026": "2026-05-05"}),
        ("type: datetime", "column: v", {"2026-11-20T10:00:00.250+01:00": "2026-11-20T09:00:00.25Z", "2026-11-20 10:00": "2026-11-20T10:00:00Z"}),
        ("type: datetime", "column: v, zone: Europe/Berlin", {"2026-07-01 10:00:00": "2026-07-01T08:00:00Z"}),
        ("type: datetime", 'column: v, parse: "%d.%m.%Y %H:%M %z", zone: Europe/Berlin', {"20.11.2026 10:00 +0300": "2026-11-20T07:00:00Z"}),
        ("type: boolean", "column: v, values: {Y: true, N: false}", {"Y": "true", "N": "false", "x": FLAG}),
    ],
)  # fmt: skip
def test_a_value_becomes_what_its_mapping_says(
    define: Define, deliver: Deliver, field: str, mapping: str, becomes: dict[str, Any]
) -> None:
    define_value(define, field, mapping)
    assert dict(zip(becomes, read_values(deliver, list(becomes)), strict=True)) == becomes


@pytest.mark.parametrize(
    ("field", "mapping", "says"),
    [
        ("type: text", "column: v, clean: [uper]", "there is no cleaning step 'uper'; did you mean 'upper'?"),
        ("type: text", "column: v, clean: [{pad: 3, wth: c}]", "'pad' has no 'wth'; did you mean 'with'?"),
        ("type: text", "column: v, clean: [{pad: x}]", "pad is a whole number"),
        ("type: text", "column: v, clean: [{replace: ab}]", "replace takes a list of two"),
        ("type: text", 'column: v, clean: [{replace: ["(?<=a)", ""]}]', "is no RE2 pattern"),
        ("type: text", "column: v, values: [B]", "values are a mapping"),
        ("type: text", "column: v, values: {B: BUY}, others: flga", "there is no others 'flga'; did you mean 'flag'?"),
        (MONEY, "column: v, percent: dvide", "there is no percent 'dvide'; did you mean 'divide'?"),
        (MONEY, "column: v, factor: abc", "factor is an exact decimal"),
        (MONEY, "column: v, round: x", "round is a whole number"),
        (MONEY, 'column: v, group: "."', "decimal and group are both '.'"),
        (MONEY, "column: v, decimal: ab", "decimal is one mark"),
        ("type: date", 'column: v, parse: "%Q"', "'%Q' is no date pattern"),
        ("type: datetime", "column: v, zone: Mars/Foo", "there is no time zone 'Mars/Foo'"),
    ],
)
def test_a_step_that_cannot_be_is_a_fault(define: Define, field: str, mapping: str, says: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        define_value(define, field, mapping)
    assert str(caught.value).startswith("sources.given.mapping.v: ")
    assert says in str(caught.value)
