"""Proposals for real files with known truth: every column pair, the key, and what is left differing."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.suggesting import Proposal, propose, trial_lines

Pairs = Callable[[Proposal], dict[str, str]]


def key_of(given: Proposal) -> list[tuple[str, str]]:
    return [(field.pair.a.name, field.pair.b.name) for field in given.suggestion.fields if field.pair.is_key]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("raha_beers", {"city": 127, "state": 127}),
        ("raha_flights", {"sched_dep_time": 828, "act_dep_time": 1525, "sched_arr_time": 955, "act_arr_time": 1288}),
    ],
)
def test_every_pair_is_right_and_form_alone_differs_no_more(
    name: str, cells: dict[str, int], shared: Path, pairs_of: Pairs
) -> None:
    truth = json.loads((shared / name / "truth.json").read_text(encoding="utf-8"))
    found = propose(shared / name / "clean.csv", shared / name / "dirty.csv")
    key = list(zip(truth["key_a"], truth["key_b"], strict=True))
    assert key_of(found) == key
    assert pairs_of(found) == {**truth["mapping"], **dict(key)}
    assert dict(found.trial.cells) == cells
    assert found.trial.common == truth["keys_matched"]


def test_the_locale_pair_is_read_in_both_languages(shared: Path, pairs_of: Pairs) -> None:
    found = propose(shared / "nasty" / "pair_locale_a.csv", shared / "nasty" / "pair_locale_b.csv")
    assert key_of(found) == [("transaction_id", "Referenz")]
    assert pairs_of(found) == {
        "transaction_id": "Referenz",
        "trade_date": "Handelstag",
        "amount": "Betrag",
        "counterparty": "Gegenpartei",
        "side": "KV",
    }
    fields = {field.name: field for field in found.suggestion.fields}
    assert fields["side"].map_b["values"] == {"K": "BUY", "V": "SELL"}
    assert fields["trade_date"].map_b["parse"] == "%d.%m.%Y"
    assert (fields["amount"].map_b["decimal"], fields["amount"].map_b["group"]) == (",", ".")
    trial = found.trial
    assert (trial.matched, trial.differing, trial.only_a, trial.only_b, trial.duplicate) == (15, 3, 1, 1, 1)
    assert dict(trial.cells) == {"amount": 1, "side": 1, "trade_date": 1}


def test_airports_without_a_header_find_their_columns(shared: Path, pairs_of: Pairs) -> None:
    folder = shared / "airports_openflights_ourairports"
    found = propose(folder / "openflights_airports_2014-08-06.dat", folder / "ourairports_airports.csv.gz")
    assert key_of(found) == [("column_6", "ident")]
    assert pairs_of(found) == {
        "column_6": "ident",
        "column_2": "name",
        "column_3": "municipality",
        "column_4": "iso_country",
        "column_5": "iata_code",
        "column_7": "latitude_deg",
        "column_8": "longitude_deg",
        "column_9": "elevation_ft",
    }
    assert (found.trial.only_a, found.trial.only_b, found.trial.duplicate) == (396, 78706, 4)
    assert found.trial.cells["iso_country"] < 30
    assert any("`one_sided: a`" in line for line in trial_lines(found.trial))
    left_out = {it.column.name: it.reason for it in found.suggestion.unpaired}
    assert "goes better with ident" in left_out["gps_code"]
    assert all(left_out.values()) and {"column_1", "column_11", "continent", "id"} <= set(left_out)


def without(column: str, source: Path, target: Path) -> Path:
    """A copy of a file that lacks a column."""
    with source.open(encoding="utf-8", newline="") as file, target.open("w", encoding="utf-8", newline="") as copy:
        rows = csv.DictReader(file)
        kept = [name for name in rows.fieldnames or () if name != column]
        writer = csv.DictWriter(copy, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return target


def test_without_its_number_a_flight_is_known_by_source_and_flight(shared: Path, tmp_path: Path) -> None:
    files = [
        without("tuple_id", shared / "raha_flights" / f"{side}.csv", tmp_path / f"{side}.csv")
        for side in ("clean", "dirty")
    ]
    found = propose(*files)
    assert key_of(found) == [("src", "src"), ("flight", "flight")]
    assert found.trial.common == 2376
    assert found.trial.cells["sched_dep_time"] == 828
