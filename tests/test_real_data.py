"""Real data with known truth, through the whole path."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.definitions.apply import apply_definition
from config.pipeline import run_to_end
from ingestion.models import Normalization
from reconciliation.models import Reconciliation
from reconciliation.runs import start_run
from tests.conftest import DAY, SHARED
from tests.test_straight_path import problems

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
Deliver = Callable[..., Normalization]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("raha_beers", {"city": 127, "state": 127}),
        ("raha_flights", {"sched_dep_time": 828, "act_dep_time": 1525, "sched_arr_time": 955, "act_arr_time": 1288}),
    ],
)
def test_exactly_the_known_cells_differ(name: str, fields: dict[str, int], db: None, deliver: Deliver) -> None:
    folder = EXAMPLES / name
    apply_definition((folder / "definition.yaml").read_text(encoding="utf-8"), folder)
    reconciliation = Reconciliation.objects.get(code=name)
    deliver(reconciliation.a.code, SHARED / name / "clean.csv")
    deliver(reconciliation.b.code, SHARED / name / "dirty.csv")
    run = run_to_end(start_run(reconciliation=reconciliation, business_date=DAY))
    assert run.report is not None
    assert run.report["differences"]["by_field"] == dict(sorted(fields.items()))
    assert problems() == []


def test_the_airports_come_out_as_counted(db: None, deliver: Deliver) -> None:
    folder = EXAMPLES / "airports"
    apply_definition((folder / "definition.yaml").read_text(encoding="utf-8"), folder)
    deliver("openflights", folder / "openflights_airports.dat")
    deliver("ourairports", folder / "ourairports_airports.csv.gz")
    run = run_to_end(start_run(reconciliation=Reconciliation.objects.get(code="airports"), business_date=DAY))
    report = run.report
    assert report is not None
    records = report["records"]
    assert records["matched"] + records["differing"] + records["duplicate"] == 6303
    assert (records["missing_in_b"], records["missing_in_a"], records["duplicate"]) == (396, 0, 4)
    assert report["sides"]["a"]["quarantined"] == 1282
    assert report["sides"]["b"]["out_of_scope"] == 78706


def test_the_locale_pair_differs_in_three_cells(db: None, deliver: Deliver, define: Callable[[str], object]) -> None:
    define(
        "record_types: {t: {fields: {id: {type: text, key: true}, day: {type: date}, amount: {type: decimal, digits: 18, places: 2},"
        " party: {type: text}, side: {type: text}}}}\n"
        "sources:\n"
        "  one: {record_type: t, mapping: {id: {column: transaction_id}, day: {column: trade_date}, amount: {column: amount},"
        " party: {column: counterparty}, side: {column: side}}}\n"
        '  two: {record_type: t, mapping: {id: {column: Referenz}, day: {column: Handelstag, parse: "%d.%m.%Y"},'
        ' amount: {column: Betrag, decimal: ",", group: "."}, party: {column: Gegenpartei},'
        " side: {column: KV, values: {K: BUY, V: SELL}}}}\n"
        "reconciliations: {pair: {a: one, b: two, compare: {party: {ignore: [case, ends]}}}}\n"
    )
    deliver("one", SHARED / "nasty" / "pair_locale_a.csv")
    deliver("two", SHARED / "nasty" / "pair_locale_b.csv")
    report = run_to_end(start_run(reconciliation=Reconciliation.objects.get(code="pair"), business_date=DAY)).report
    assert report is not None
    assert report["records"] == {"matched": 15, "differing": 3, "missing_in_a": 1, "missing_in_b": 1, "duplicate": 1}
    assert report["differences"]["by_field"] == {"amount": 1, "day": 1, "side": 1}
    assert json.dumps(report)
