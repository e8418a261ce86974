"""Definitions: applied whole or not at all, faults with place and suggestion, exported to the same again."""

from collections.abc import Callable

import pytest

from attribution.models import Reason
from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from config.definitions.yaml_text import read_yaml
from ingestion.changes import Change
from ingestion.models import Holiday, RecordType, Source
from reconciliation.models import Reconciliation
from tests.conftest import DEFINITION

Define = Callable[[str], list[Change]]


def test_a_second_time_changes_nothing(define: Define) -> None:
    assert define(DEFINITION)
    assert define(DEFINITION) == []


def test_a_compare_rule_of_the_key_is_said_to_do_nothing(define: Define) -> None:
    ruled = DEFINITION.replace("compare: {", "compare: {id: {ignore: [case]}, ")
    said = "reconciliation trades: id is part of the key, so its compare rule has no effect; clean it in the mapping"
    assert said in map(str, define(ruled))
    assert define(ruled) == []


def test_an_export_applied_again_is_the_same(define: Define) -> None:
    define(DEFINITION)
    text = export_definition(Reconciliation.objects.get())
    assert define(text) == []
    assert export_definition(Reconciliation.objects.get()) == text


def test_an_export_carries_names_and_changed_reasons_elsewhere(define: Define) -> None:
    define(
        DEFINITION.replace("    a: left\n", "    a: left\n    calendar: xetra\n")
        + 'calendars: {xetra: {holidays: {2026-12-25: Christmas, 2026-12-31: ""}}}\n'
        + "reasons: {TIMING_LAG: {label: Late}, FEE: {functional: true, description: Known}}\n"
    )
    text = export_definition(Reconciliation.objects.get())
    Holiday.objects.update(name="")
    Reason.objects.filter(code__in=("FEE", "TIMING_LAG")).update(label="", description="")
    define(text)
    assert list(Holiday.objects.values_list("name", flat=True)) == ["Christmas", ""]
    assert (
        Reason.objects.get(code="TIMING_LAG").label == "Late" and Reason.objects.get(code="FEE").description == "Known"
    )
    assert export_definition(Reconciliation.objects.get()) == text


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("amount: {column: amount}", "amuont: {column: amount}",
         "sources.left.mapping.amuont: record type 'trade' has no field 'amuont'; did you mean 'amount'?"),
        ("type: decimal", "type: decimel", "record_types.trade.fields.amount.type: there is no type 'decimel'; did you mean 'decimal'?"),
        ("b: right", "b: rihgt", "reconciliations.trades.b: there is no source 'rihgt'; did you mean 'right'?"),
        ("rule: between", "rule: betwen", "there is no rule 'betwen'; did you mean 'between'?"),
        ("id: {column: id}", "day: {column: id}", "stands twice"),
        ("to: party", "to: partie", "there is no record type 'partie'; did you mean 'party'?"),
    ],
)  # fmt: skip
def test_a_fault_has_its_place_and_changes_nothing(define: Define, wrong: str, right: str, says: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        define(DEFINITION.replace(wrong, right))
    assert says in str(caught.value)
    assert not RecordType.objects.exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("reasons: {BROKER_FEE: {label: Fee}}", "reasons.BROKER_FEE: functional: write true or false"),
        ("reasons: {broker fee: {functional: true}}", "reasons.broker fee: code: A reason code is upper-case letters"),
        ("reasons: {BROKER_FEE: {functional: true, lable: Fee}}", "reasons.BROKER_FEE.lable: there is no key 'lable' here; did you mean 'label'?"),
        ("reasons: {UNKNOWN: {active: false}}", "reasons.UNKNOWN: active: UNKNOWN stays active"),
        ("teams: {desk: {label: " + "x" * 201 + "}}", "teams.desk: label: Ensure this value has at most 200 characters"),
    ],
)  # fmt: skip
def test_reasons_and_teams_are_checked_too(define: Define, more: str, says: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        define(DEFINITION + more)
    assert says in str(caught.value)
    assert not RecordType.objects.exists()


def test_a_translation_names_a_field(define: Define) -> None:
    with pytest.raises(BadDefinition, match="has no field 'curency'; did you mean 'currency'?"):
        define(DEFINITION.replace("*mapping}", "*mapping, translations: {curency: {EUR: E}}}"))
    define(DEFINITION.replace("*mapping}", "*mapping, translations: {currency: {EUR: E}}}"))
    assert Source.objects.get(code="right").translations.get().b_value == "E"


def test_only_plain_words_resolve() -> None:
    assert read_yaml("a: on\nb: NO\nc: 010\nd: 10\ne: true\nf: 1.5\ng: null\nh: 2026-11-20") == {
        "a": "on", "b": "NO", "c": "010", "d": 10, "e": True, "f": "1.5", "g": None, "h": "2026-11-20",
    }  # fmt: skip


def test_a_new_field_widens_and_another_shape_starts_a_generation(define: Define) -> None:
    define(DEFINITION)
    define(DEFINITION.replace("currency: {type: text}", "currency: {type: text}\n      book: {type: text}"))
    trade = RecordType.objects.get(code="trade")
    assert (trade.generation, trade.schema_version) == (1, 2)
    define(DEFINITION.replace("day: {type: date}", "day: {type: text}"))
    trade.refresh_from_db()
    assert trade.generation == 2


def test_a_changed_mapping_is_a_new_version(define: Define) -> None:
    define(DEFINITION)
    define(DEFINITION.replace("amount: {column: amount}", "amount: {column: amount, decimal: ','}"))
    assert Source.objects.get(code="left").mappings.count() == 2
