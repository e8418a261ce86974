"""Whatever stands at a place of a definition, it is applied or refused with the place; nothing ends in a traceback."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.definitions.apply import check_document
from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from config.definitions.yaml_text import read_yaml
from ingestion.changes import Change
from ingestion.models import Source
from reconciliation.models import Reconciliation
from reconciliation.rule_sets import freeze_rules
from tests.conftest import DEFINITION

Define = Callable[[str], list[Change]]
Place = tuple[str | int, ...]
JUNK: tuple[Any, ...] = ("x", [], {"x": 1})
RICH = """
calendars: {xetra: {label: X, weekend: [sat, sun], holidays: [2026-12-25]}}
reasons: {BROKER_FEE: {label: Fee, functional: true, active: true, description: d}}
teams: {desk: {label: Desk}}
record_types:
  party: {label: P, fields: {name: {type: text, key: true}, country: {type: text}}}
  trade:
    fields:
      id: {type: text, key: true, label: Id, sensitive: true}
      day: {type: date}
      due: {type: date}
      party: {type: reference, to: party}
      side: {type: text, choices: [BUY, SELL]}
      amount: {type: decimal, digits: 18, places: 2}
      currency: {type: text}
      at: {type: datetime}
sources:
  left:
    label: L
    record_type: trade
    kind: upload
    delivers: increments
    calendar: xetra
    business_date: {from_name: "_([0-9]+)"}
    format: {type: csv, delimiter: ";", encoding: utf-8, quote: "'", header: 2, skip: 1, footer: {rows: 1, sum: amount, count: true}}
    mapping: &m
      id: {column: id, clean: [ends, {remove: "-"}, {pad: 5, with: "0"}, {replace: ["a", "b"]}], null: [N/A]}
      day: {column: day, parse: ["%d.%m.%Y"]}
      due: {column: due}
      party.name: {column: party}
      party.country: {value: DE}
      side: {column: side, values: {B: BUY}, others: flag}
      amount: {column: amount, decimal: ",", group: ".", percent: divide, factor: "0.01", round: 2}
      currency: {column: currency}
      at: {column: at, zone: Europe/Berlin}
    translations: {side: {BUY: B}}
    deadline: {at: "18:30", zone: Europe/Berlin, after: 1, grace: 15}
  right: {record_type: trade, mapping: *m}
reconciliations:
  trades:
    label: T
    a: left
    b: right
    calendar: xetra
    team: desk
    four_eyes: true
    match: {on: [id], one_sided: both, wait: 2}
    compare:
      amount: {absolute: "0.005", relative: "0.1", basis_points: "1"}
      day: {days: 1, business_days: 1}
      party: {ignore: [case]}
      party.country: {ignore: [ends]}
      side: {null_equals: [""], skip: true}
    authority: {day: b}
    runs: {on_arrival: true, schedule: 0 18 * * *}
    training: {after: 50, schedule: 0 2 * * *, promotes: true}
    gate:
      confidence: "0.90"
      budget: "0.10"
      max_auto_amount: {EUR: "100"}
      max_auto_difference: {EUR: "1"}
      checks:
        - {field: amount, rule: between, min: "0", max: "1000"}
        - {field: currency, rule: in, values: [EUR]}
        - {field: currency, rule: regex, pattern: "[A-Z]{3}"}
        - {field: day, rule: before, other: due}
        - {field: party, rule: known}
        - {field: id, rule: not_null}
alerts: {pager: {webhook: 'https://pager.example.com/in', secret: {env: TIEOUT_PAGER}, sources: [left], active: false}}
"""


def places(node: Any, above: Place = ()) -> Iterator[Place]:  # noqa: ANN401
    """Every place of a document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, one in inner:
        yield (*above, name)
        yield from places(one, (*above, name))


def changed(document: Any, place: Place, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """The document with another value at a place."""
    made = node = copy.deepcopy(document)
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = value
    return made


def faults_of(document: dict[str, Any], folder: Path) -> list[str]:
    """The faults of a document, each with a place."""
    try:
        check_document(document, folder)
    except BadDefinition as bad:
        assert all(fault.place for fault in bad.faults), bad
        return list(map(str, bad.faults))
    return []


@pytest.mark.django_db
@pytest.mark.parametrize("value", JUNK, ids=repr)
def test_anything_at_any_place_is_fine_or_a_fault(value: Any, tmp_path: Path) -> None:  # noqa: ANN401
    whole = read_yaml(RICH)
    assert faults_of(whole, tmp_path) == []
    for place in places(whole):
        if place[:2] == ("sources", "right"):
            continue  # mapped as the other
        faults_of(changed(whole, place, value), tmp_path)


@pytest.mark.django_db
def test_an_unknown_key_is_a_fault_at_its_place(tmp_path: Path) -> None:
    whole = read_yaml(RICH)
    free = ("record_types", "calendars", "reasons", "teams", "sources", "reconciliations", "values", "translations",
            "holidays", "footer", "max_auto_amount", "max_auto_difference", "side")  # fmt: skip
    for place in places(whole):
        node: Any = whole
        for name in place:
            node = node[name]
        if isinstance(node, dict) and place[-1] not in free:
            told = faults_of(changed(whole, (*place, "zz_unknown"), "1"), tmp_path)
            assert any("zz_unknown" in fault and "no" in fault for fault in told), (place, told)


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("absolute:", "absolut:", "compare.amount: there is no compare rule 'absolut'; did you mean 'absolute'?"),
        ('{amount: {absolute: "0.005"}}', "{day: {absolute: 1}}", "compare.day.absolute: it is for integer and decimal fields, and 'day' is date"),
        ('{amount: {absolute: "0.005"}}', "{party.name: {days: 1}}", "it is for date and datetime fields, and 'party.name' is text"),
        ("compare: {amount", "compare: {amuont", "compare.amuont: record type 'trade' has no field 'amuont'; did you mean"),
        ("    a: left\n", "    a: left\n    calendar: xetra\n", "trades.calendar: there is no calendar 'xetra'"),
        ("    a: left\n", "    a: left\n    team: desk\n", "trades.team: there is no team 'desk'"),
        ("    a: left\n", "    a: left\n    match: {on: [day]}\n", "match.on: the records are matched on their key fields: id"),
        ("    a: left\n", "    a: left\n    match: {one_sided: c}\n", "match.one_sided: it is both, a or b"),
        ("    a: left\n", "    a: left\n    match: {wait: 61}\n", "match.wait: it is a whole number of business days, at most 60"),
        ("    a: left\n", "    a: left\n    match: {wait: true}\n", "match.wait: it is a whole number of business days, at most 60"),
        ("    a: left\n", "    a: left\n    provers: {sing: {active: false}}\n", "there is no prover 'sing'; did you mean 'sign'?"),
        ('min: "0"', 'min: "zero"', "checks[0].min: 'zero' is no number"),
        ("rule: between, min", "rule: between, mni", "checks[0].mni: there is no key 'mni' here; did you mean 'min'?"),
        ("field: amount, rule: between", "field: party, rule: between", "only numbers and dates lie between others"),
        ("field: amount, rule: between", "field: amount, rule: known", "rule 'known' asks whether a reference is known"),
        ('rule: between, min: "0", max: "1000"', "rule: before, other: day", "compares two dates, and 'amount' is none"),
        ('rule: between, min: "0", max: "1000"', "rule: in, values: [1, x]", "checks[0].values: 'x' is no number"),
        ("gate: {", "gate: {budget: 0.11, ", "gate.budget: it is one of 0.10, 0.05, 0.02, 0.01, none"),
        ("gate: {", "gate: {max_auto_amount: {EUR: much}, ", "gate.max_auto_amount.EUR: it is an amount such as"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_a_fault(define: Define, wrong: str, right: str, says: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        define(DEFINITION.replace(wrong, right))
    assert says in str(caught.value)


def test_several_faults_are_a_line_each(define: Define) -> None:
    text = (
        DEFINITION.replace("b: right", "b: rihgt")
        .replace("type: decimal", "type: decimel")
        .replace("to: party", "to: prty")
    )
    with pytest.raises(BadDefinition) as caught:
        define(text)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [
        "record_types.trade.fields.party.to", "record_types.trade.fields.amount.type", "sources.left.mapping.party.name",
        "sources.left.mapping.party.country", "sources.right.mapping.party.name", "sources.right.mapping.party.country",
        "reconciliations.trades.b",
    ]  # fmt: skip


def test_a_table_of_values_is_read_beside_the_definition(define: Define, tmp_path: Path) -> None:
    mapped = DEFINITION.replace(
        "currency: {column: currency}", "currency: {column: currency, values: {table: c.csv, from: n, to: code}}"
    )
    with pytest.raises(BadDefinition, match="values: there is no file 'c.csv' beside the definition"):
        define(mapped)
    (tmp_path / "c.csv").write_text("code,n\nEUR,978\nUSD,840\nGBP,978\n", encoding="utf-8")
    with pytest.raises(BadDefinition, match="the table has two values for '978': 'EUR' and 'GBP'"):
        define(mapped)
    (tmp_path / "c.csv").write_text("code,n\nEUR,978\nUSD,840\n", encoding="utf-8")
    define(mapped)
    assert Source.objects.get(code="left").current_mapping().document["currency"]["values"] == {
        "978": "EUR",
        "840": "USD",
    }


def test_without_limits_too_the_queue_knows_amount_and_currency(define: Define) -> None:
    define(DEFINITION)
    assert freeze_rules(Reconciliation.objects.get()).document["gate"] == Reconciliation.objects.get().rules["gate"]
    define(DEFINITION.replace("amount", "notional").replace("currency", "ccy"))
    gate = freeze_rules(Reconciliation.objects.get()).document["gate"]
    assert (gate["amount_field"], gate["currency_field"]) == ("notional", "ccy")


def test_limits_find_the_fields_that_they_mean(define: Define) -> None:
    text = DEFINITION.replace("amount", "notional").replace("currency", "ccy")
    define(text.replace("gate: {", "gate: {max_auto_amount: {EUR: 100}, "))
    gate = freeze_rules(Reconciliation.objects.get()).document["gate"]
    assert (gate["amount_field"], gate["currency_field"]) == ("notional", "ccy")


@pytest.mark.parametrize("text", ["record_types: !!int 'x'", "a: !!timestamp '2020-13-01'", "a: !!python/object:x {}"])
def test_a_tag_that_cannot_be_is_a_fault(define: Define, text: str) -> None:
    with pytest.raises(BadDefinition, match="this is no YAML"):
        define(text)


def test_everything_that_can_be_said_is_exported_again(define: Define) -> None:
    define(RICH.replace("values: {B: BUY}", "values: {B: BUY, X: null, 1: true, null: '010', 'on': 'null'}"))
    text = export_definition(Reconciliation.objects.get())
    assert define(text) == []
    assert export_definition(Reconciliation.objects.get()) == text
    values = read_yaml(text)["sources"]["left"]["mapping"]["side"]["values"]  # type: ignore[index]
    assert values == {"B": "BUY", "X": None, "1": True, "null": "010", "on": "null"}
