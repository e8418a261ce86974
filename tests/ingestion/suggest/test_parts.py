"""The parts of a proposal, one by one: names, numbers, dates, the assignment, factors, references."""

import datetime as dt
import itertools
import random
from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

from config.suggesting import Proposal
from ingestion.suggest.assignment import best_assignment
from ingestion.suggest.dates import date_styles
from ingestion.suggest.definition import title_of
from ingestion.suggest.names import name_likeness, words_of
from ingestion.suggest.numbers import number_styles

Proposed = Callable[[str, str], Proposal]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HospitalName", ("hospital", "name")),
        ("hospital-name", ("hospital", "name")),
        ("TRADE_DT", ("trade", "dt")),
        ("ZipCode2", ("zip", "code", "2")),
    ],
)
def test_a_name_is_cut_into_its_words(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("a", "b", "other"),
    [
        ("HospitalName", "name", "condition"),
        ("DealRef", "transaction_id", "trade_date"),
        ("cpty_nm", "Counterparty", "currency"),
        ("Address2", "address_2", "address_3"),
        ("Betrag", "amount", "account"),
    ],
)
def test_a_name_is_more_like_its_partner_than_like_another(a: str, b: str, other: str) -> None:
    assert name_likeness(a, b) > name_likeness(a, other)


@pytest.mark.parametrize(
    ("texts", "decimal", "group", "unit"),
    [
        (["1.234,50", "7,00"], ",", ".", ""),
        (["1,234.50", "7.00"], ".", ",", ""),
        (["1 234,5", "12,25"], ",", " ", ""),
        (["12.0 oz", "16.0 OZ."], ".", "", "suffix"),
        (["EUR 12.00", "USD 7.50"], ".", "", "prefix"),
        (["3", "-17"], ".", "", ""),
    ],
)
def test_how_numbers_are_written(texts: list[str], decimal: str, group: str, unit: str) -> None:
    style = number_styles(dict.fromkeys(texts, 1))[0]
    assert (style.decimal, style.group, style.unit) == (decimal, group, unit)


def test_identifiers_and_addresses_are_no_numbers() -> None:
    assert number_styles(dict.fromkeys(["T0001", "T0002"], 1)) == ()
    assert number_styles({f"{n} {street} road": 1 for n, street in enumerate("abcdefghijklmnopqrstuvwxyz")}) == ()


@pytest.mark.parametrize(
    ("texts", "patterns"),
    [
        (["2024-01-31", "2024-02-01"], [()]),
        (["31.01.2024", "1.2.2024"], [("%d.%m.%Y",)]),
        (["01/02/2024", "03/04/2024"], [("%d/%m/%Y",), ("%m/%d/%Y",)]),
        (["01/31/2024", "03/04/2024"], [("%m/%d/%Y",)]),
        (["20240131", "20240201"], [("%Y%m%d",)]),
        (["31.01.2024 08:15:00", "01.02.2024 23:59:59"], [("%d.%m.%Y %H:%M:%S",)]),
        (["soon", "later"], []),
    ],
)
def test_how_dates_are_written(texts: list[str], patterns: list[tuple[str, ...]]) -> None:
    assert [style.patterns for style in date_styles(dict.fromkeys(texts, 1))] == patterns


def test_the_assignment_is_the_best_of_all() -> None:
    chance = random.Random(5)
    for _ in range(60):
        rows, columns = chance.randrange(1, 6), chance.randrange(1, 6)
        scores = np.array([[chance.random() - 0.3 for _ in range(columns)] for _ in range(rows)])
        wide = np.maximum(scores if rows <= columns else scores.T, 0)
        best = max(
            sum(wide[n, chosen[n]] for n in range(len(wide)))
            for chosen in itertools.permutations(range(wide.shape[1]), len(wide))
        )
        assert sum(scores[pair] for pair in best_assignment(scores)) == pytest.approx(best)


def rows_of(count: int, row: Callable[[int], str], header: str) -> str:
    return "\n".join([header, *map(row, range(count))]) + "\n"


@pytest.mark.parametrize(
    ("write", "step"),
    [
        (lambda n: f"{(n * 37 % 991) * 100}", {"factor": "0.01"}),
        (lambda n: f"-{n * 37 % 991}", {"factor": "-1"}),
        (lambda n: f"{(n * 37 % 991) / 1000:.3f}", {"factor": "1000"}),
    ],
)
def test_a_factor_is_found_and_makes_the_numbers_equal(
    write: Callable[[int], str], step: dict[str, str], proposed: Proposed
) -> None:
    a = rows_of(60, lambda n: f"K{n:03d},{n * 37 % 991}", "id,size")
    b = rows_of(60, lambda n: f"K{n:03d},{write(n)}", "id,size")
    found = proposed(a, b)
    size = next(field for field in found.suggestion.fields if field.name == "size")
    assert step.items() <= dict(size.map_b).items()
    assert (found.trial.matched, found.trial.differing) == (60, 0)


def test_a_field_that_another_decides_becomes_a_reference(proposed: Proposed) -> None:
    cities = [
        ("1", "Oslo", "NO"),
        ("2", "Bergen", "NO"),
        ("3", "Lyon", "FR"),
        ("4", "Porto", "PT"),
        ("5", "Gent", "BE"),
    ]

    def row(n: int) -> str:
        return f"T{n:04d},{','.join(cities[n * 7 % 5])},{n * 13 % 97}.50"

    text = rows_of(100, row, "order,branch_id,branch_name,country,amount")
    found = proposed(text, text)
    types = found.document["record_types"]
    assert isinstance(types, dict)
    assert list(types["branch"]["fields"]) == ["id", "name", "country"]
    assert types["case"]["fields"]["branch"] == {"type": "reference", "to": "branch"}
    assert found.trial.matched == 100
    assert "branch_id decides country in 100 of 100 rows of A" in " ".join(found.text().split())


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("trades_a.csv", "Trades a"),
        ("front-office 2026-11-20.csv.gz", "Front office 2026-11-20"),
        ("EOD_v1.2_final.xlsx", "EOD v1.2 final"),
        (".csv", ".csv"),
    ],
)
def test_a_file_name_becomes_a_title(file: str, title: str) -> None:
    assert title_of(file) == title


def test_a_chance_dependency_is_no_reference(proposed: Proposed) -> None:
    chance = random.Random(3)
    rows = [f"T{n:04d},{chance.choice('ABC')},{chance.choice('XY')},{chance.random():.3f}" for n in range(100)]
    text = "\n".join(["order,desk,shift,amount", *rows]) + "\n"
    assert proposed(text, text).suggestion.references == []


def test_a_file_without_a_header_keeps_its_first_record(proposed: Proposed) -> None:
    a = rows_of(40, lambda n: f"Town {n},{n * 17 % 89},N{n:03d}", "Town 99,12,N999")
    b = rows_of(41, lambda n: f"N{n:03d};{n * 17 % 89};Town {n}", "code;size;place")
    found = proposed(a, b)
    assert found.suggestion.sides[0].rows == 41
    assert {field.pair.a.name: field.pair.b.name for field in found.suggestion.fields} == {
        "column_1": "place",
        "column_2": "size",
        "column_3": "code",
    }
    document = yaml.safe_load(found.text())
    assert document["sources"]["case_left"]["format"]["header"] is False


def test_names_and_values_that_mean_something_to_yaml_are_read_back(proposed: Proposed) -> None:
    a = rows_of(30, lambda n: f'K{n},"{("no", "on", "~")[n % 3]}",{n % 7}', '"null","a: b # c","yes"')
    b = rows_of(30, lambda n: f"K{n},{('1', '2', '3')[n % 3]},{n % 7}", '"null","x{y}","yes"')
    found = proposed(a, b)
    sources = yaml.safe_load(found.text())["sources"]
    mapped = {document["column"] for source in sources.values() for document in source["mapping"].values()}
    assert mapped == {"null", "a: b # c", "x{y}", "yes"}
    assert found.trial.matched == 30


def test_two_files_of_other_things_are_refused(proposed: Proposed) -> None:
    from ingestion.suggest.suggestion import NothingInCommon

    chance = random.Random(1)
    a = rows_of(80, lambda n: f"{n},{chance.randrange(9000)}", "id,weight")
    b = rows_of(80, lambda n: f"{n},{chance.choice('abcdefg')}{chance.randrange(99)}", "id,label")
    with pytest.raises(NothingInCommon, match="no other column"):
        proposed(a, b)


def hard_rows(chance: random.Random, count: int) -> list[tuple[str, str]]:
    """Rows of two systems that write names turned, streets cut, times in another zone, flags in codes."""
    rows = []
    for n in range(count):
        first, last = chance.choice(("Mara", "Jon", "Ana", "Piet")), chance.choice(("Keller", "Novak", "Raman", "Ito"))
        street = (
            f"{chance.randrange(1, 300)} {chance.choice(('Long', 'North', 'Green'))} Street {chance.randrange(9999)}"
        )
        home = chance.choice(("Oslo", "Bergen", "Lyon", "Porto"))
        work = home if chance.random() < 0.8 else chance.choice(("Oslo", "Lyon"))
        at = dt.datetime(2024, 1, 1) + dt.timedelta(seconds=chance.randrange(28_000_000))  # noqa: DTZ001 - local time
        utc = at.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(dt.UTC)
        flags = [chance.random() < share for share in (0.5, 0.1, 0.3)]
        gross = chance.randrange(1000, 900_000)
        words = ",".join("yes" if it else "no" for it in flags)
        a = f"R{n},{first} {last},{street},{gross / 100},{gross * 81 / 10000},{home},{work},{at:%Y-%m-%d %H:%M:%S},{words}"
        bits = ";".join(str(int(it)) for it in flags)
        b = f'r-{n};"{last}, {first}";{street[:12]};{gross / 100};{gross * 81 / 10000};{home};{work};{utc:%Y-%m-%dT%H:%M:%SZ};{bits}'
        rows.append((a, b))
    return rows


def test_turned_names_cut_texts_zones_and_flags_find_their_partners(proposed: Proposed) -> None:
    chance = random.Random(4)
    rows = hard_rows(chance, 200)
    left = ["ref", "client", "street", "gross", "net", "home", "work", "at", "active", "vip", "locked"]
    right = [f"x{n}" for n in range(len(left))]
    shuffled = chance.sample([b for _, b in rows], len(rows))
    found = proposed("\n".join([",".join(left), *(a for a, _ in rows)]), "\n".join([";".join(right), *shuffled]))
    fields = {field.pair.a.name: field for field in found.suggestion.fields}
    assert {name: field.pair.b.name for name, field in fields.items()} == dict(zip(left, right, strict=True))
    assert fields["at"].map_a["zone"] == "Europe/Berlin"
    assert fields["vip"].map_b["values"] == {"0": "no", "1": "yes"}
    assert dict(found.trial.cells) == {"street": 200}
