"""Each hostile file gets the outcome that its README states, through the delivery's door."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import lake
from ingestion.deliveries import NeedsDecision
from ingestion.detection import detect
from ingestion.errors import IngestionError, UnreadableFile
from ingestion.models import Normalization
from ingestion.shape import Shape
from tests.conftest import SHARED

NASTY = SHARED / "nasty"
EXPECTED: dict[str, dict[str, Any]] = json.loads((NASTY / "expected.json").read_text(encoding="utf-8"))
READABLE = [name for name, told in EXPECTED.items() if told["outcome"] != "reject"]
Deliver = Callable[..., Normalization]


def define_for(define: Callable[[str], object], file: Path, fields: dict[str, tuple[str, str]], key: str) -> None:
    """A source `nasty` whose fields (name -> (type, mapping steps)) are mapped by column position."""
    types = "".join(
        f"      {name}: {{{kind}{', key: true' if name == key else ''}}}\n" for name, (kind, _) in fields.items()
    )
    steps = "".join(f"      {name}: {{{mapping}}}\n" for name, (_, mapping) in fields.items())
    define(
        f"record_types:\n  thing:\n    fields:\n{types}sources:\n  nasty:\n    record_type: thing\n    mapping:\n{steps}"
    )


def rows_of(work: Normalization, shape: Shape) -> list[dict[str, Any]]:
    """The normalized records by leaf name, in file order."""
    columns = ", ".join(f'{leaf.column} AS "{leaf.name}"' for leaf in shape.leaves)
    found = duckdb.execute(f"SELECT n, flags, {columns} FROM read_parquet('{lake.local(work.path)}') ORDER BY n")
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


@pytest.mark.parametrize("name", READABLE)
def test_a_readable_file_loses_no_row(name: str, define: Callable[[str], object], deliver: Deliver) -> None:
    told = EXPECTED[name]
    found = detect(NASTY / name, {})
    define_for(define, NASTY / name, {"k": ("type: text", "column: column_1")}, "k")
    work = deliver("nasty", NASTY / name, accept=True)
    assert work.received == (work.normalized or 0) + (work.quarantined or 0)
    assert work.received == received(name)
    assert (told["outcome"] == "needs_decision") == bool(found.questions)


def received(name: str) -> int:
    """Rows of a file: those that load and those that are quarantined, as the README counts them."""
    told = EXPECTED[name]
    if name == "16_unclosed_quote.csv":
        return 4
    if name == "14_duplicate_keys.csv":
        return 8  # the blank key is one of the eight
    return int(told["rows"]) + int(told.get("quarantined", 0))


@pytest.mark.parametrize("name", [n for n, told in EXPECTED.items() if told["outcome"] == "reject"])
def test_an_unreadable_file_is_refused_with_a_sentence(
    name: str, define: Callable[[str], object], deliver: Deliver
) -> None:
    define_for(define, NASTY / name, {"k": ("type: text", "column: column_1")}, "k")
    with pytest.raises(UnreadableFile, match=r"\.$"):
        deliver("nasty", NASTY / name)
    assert Normalization.objects.get().state == "failed"


@pytest.mark.parametrize("name", [n for n, told in EXPECTED.items() if told["outcome"] == "needs_decision"])
def test_a_doubtful_file_asks_before_it_loads(name: str, define: Callable[[str], object], deliver: Deliver) -> None:
    define_for(define, NASTY / name, {"k": ("type: text", "column: column_1")}, "k")
    with pytest.raises(NeedsDecision, match="write `"):
        deliver("nasty", NASTY / name)


def test_quarantined_rows_keep_their_line_and_reason(define: Callable[[str], object], deliver: Deliver) -> None:
    define_for(define, NASTY, {"k": ("type: text", "column: column_1")}, "k")
    work = deliver("nasty", NASTY / "07_ragged_rows.csv")
    assert [(q.line, q.raw) for q in work.quarantined_rows.all()] == [
        (3, "2,short"),
        (4, "3,long,30,extra,more"),
        (6, "5"),
    ]


def test_decimal_commas_and_german_dates_are_exact(define: Callable[[str], object], deliver: Deliver) -> None:
    fields = {
        "k": ("type: text", "column: column_1"),
        "betrag": ("type: decimal, digits: 18, places: 2", 'column: betrag, decimal: ",", group: "."'),
        "datum": ("type: date", 'column: datum, parse: "%d.%m.%Y"'),
    }
    define_for(define, NASTY, fields, "k")
    work = deliver("nasty", NASTY / "02_latin1_semicolon_decimal_comma.csv")
    rows = rows_of(work, work.delivery.source.record_type.shape())
    assert [str(r["betrag"]) for r in rows] == ["1234.50", "-0.07", "1000000.00"]
    assert [str(r["datum"]) for r in rows] == ["2023-12-31", "2024-02-01", "2024-02-29"]


def test_null_words_are_null_only_where_they_are_declared(define: Callable[[str], object], deliver: Deliver) -> None:
    words = r"""['NULL', 'N/A', 'NaN', '-', '\N', '#N/A', 'n.a.']"""
    fields = {
        "id": ("type: integer", "column: id"),
        "country": ("type: text", "column: country"),
        "surname": ("type: text", "column: surname"),
        "value": ("type: integer", f"column: value, null: {words}, clean: [ends]"),
    }
    define_for(define, NASTY, fields, "id")
    work = deliver("nasty", NASTY / "18_null_variants.csv")
    rows = rows_of(work, work.delivery.source.record_type.shape())
    assert [r["id"] for r in rows if r["value"] is None] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert [r["value"] for r in rows if r["id"] == 9] == [0]
    assert [r["country"] for r in rows[:2]] == ["NA", "NO"]
    assert [r["surname"] for r in rows[:5]] == ["Null", "None", "True", "Nan", "Inf"]
    assert work.flagged_values == 0


def test_mixed_dates_are_read_or_flagged_never_guessed(define: Callable[[str], object], deliver: Deliver) -> None:
    patterns = '["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%b-%Y", "%d.%m.%y"]'
    fields = {"id": ("type: integer", "column: id"), "day": ("type: date", f"column: trade_date, parse: {patterns}")}
    define_for(define, NASTY, fields, "id")
    work = deliver("nasty", NASTY / "11_mixed_dates.csv")
    rows = rows_of(work, work.delivery.source.record_type.shape())
    assert [r["id"] for r in rows if str(r["day"]) == "2024-01-15"] == [1, 2, 3, 5, 6, 12]
    assert [r["id"] for r in rows if r["flags"]] == [4, 7, 8, 9, 10, 11]
    assert rows[12]["day"] is None and rows[12]["flags"] is None


def test_numbers_are_exact_or_flagged(define: Callable[[str], object], deliver: Deliver) -> None:
    fields = {"id": ("type: integer", "column: id"), "n": ("type: decimal, digits: 38, places: 17", "column: n")}
    define_for(define, NASTY, fields, "id")
    work = deliver("nasty", NASTY / "19_numbers.csv")
    read = {r["id"]: r["n"] for r in rows_of(work, work.delivery.source.record_type.shape())}
    assert (read[1], read[8], str(read[9]).rstrip("0"), read[17]) == (1000, 123, "12345678901234567890.", 0)
    assert str(read[11]) == "0.30000000000000004"
    assert [n for n, value in read.items() if value is None] == [2, 3, 4, 5, 6, 12, 13, 14, 15, 16, 20]


def test_a_missing_column_names_the_nearest_one(define: Callable[[str], object], deliver: Deliver) -> None:
    define_for(define, NASTY, {"k": ("type: text", "column: amuont")}, "k")
    with pytest.raises(IngestionError, match="Did you mean 'amount'"):
        deliver("nasty", NASTY / "01_bom_utf8.csv")
