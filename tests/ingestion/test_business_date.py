"""The business date of a file: from its name, from a column, or given; never a silent contradiction."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from config.doors import to_delivery
from ingestion.errors import IngestionError
from ingestion.models import Source
from tests.conftest import DEFINITION

FROM_NAME = DEFINITION.replace("  left:\n", "  left:\n    business_date: {from_name: 'left_([0-9]{8})'}\n")
FROM_COLUMN = DEFINITION.replace("  left:\n", "  left:\n    business_date: {column: day}\n")
TEXT = "id,day,party,country,amount,currency\nA,2026-11-19,Acme,DE,10.00,EUR\nB,2026-11-19,Acme,DE,11.00,EUR\n"
Define = Callable[[str], list[str]]


def _file(tmp_path: Path, name: str, text: str = TEXT) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_it_is_read_from_the_name(define: Define, tmp_path: Path) -> None:
    define(FROM_NAME)
    source = Source.objects.get(code="left")
    delivery = to_delivery(source, _file(tmp_path, "left_20261118.csv"), None).delivery
    assert delivery.business_date == dt.date(2026, 11, 18)
    with pytest.raises(IngestionError, match="does not fit"):
        to_delivery(source, _file(tmp_path, "other.csv"), None)


def test_it_is_read_from_a_column(define: Define, tmp_path: Path) -> None:
    define(FROM_COLUMN)
    source = Source.objects.get(code="left")
    assert to_delivery(source, _file(tmp_path, "a.csv"), None).delivery.business_date == dt.date(2026, 11, 19)
    with pytest.raises(IngestionError, match="one business date in all records; it holds 2026-11-19 and 2026-11-20"):
        to_delivery(source, _file(tmp_path, "b.csv", TEXT.replace("B,2026-11-19", "B,2026-11-20")), None)


def test_a_date_that_contradicts_the_file_is_refused(define: Define, tmp_path: Path) -> None:
    define(FROM_COLUMN)
    source = Source.objects.get(code="left")
    with pytest.raises(IngestionError, match="a.csv is of 2026-11-19 by its column day, but 2026-11-20 was given"):
        to_delivery(source, _file(tmp_path, "a.csv"), dt.date(2026, 11, 20))
    assert to_delivery(source, _file(tmp_path, "a.csv"), dt.date(2026, 11, 19)).is_new


@pytest.mark.parametrize(
    ("total", "count", "refused"),
    [("21.00", 2, ""), ("21.01", 2, r"the file has 21.00 amount in all"), ("21.00", 3, "the file has 2 records")],
)
def test_a_footer_is_held_to_the_records(define: Define, tmp_path: Path, total: str, count: int, refused: str) -> None:
    from ingestion.deliveries import normalize_delivery, plan_normalization

    define(DEFINITION.replace("  left:\n", "  left:\n    format: {footer: {rows: 1, sum: amount, count: true}}\n"))
    file = _file(tmp_path, "a.csv", f"{TEXT}TOTAL,{count},,,{total},\n")
    work = plan_normalization(to_delivery(Source.objects.get(code="left"), file, None).delivery)
    if refused:
        with pytest.raises(IngestionError, match=refused):
            normalize_delivery(work)
    else:
        done = normalize_delivery(work)
        assert done.notes[-2:] == ["The footer agrees: 2 records.", "The footer agrees: 21.00 amount in all."]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (DEFINITION.replace("  left:\n", "  left:\n    business_date: {colum: day}\n"), "read from one of"),
        (DEFINITION.replace("  left:\n", "  left:\n    business_date: {from_name: '('}\n"), "is no RE2 pattern"),
        (
            DEFINITION.replace("  trade:\n", "  party_version: {fields: {id: {type: text, key: true}}}\n  trade:\n"),
            "keeps its versions",
        ),
    ],
)
def test_a_definition_says_what_is_wrong(define: Define, text: str, sentence: str) -> None:
    from config.definitions.faults import BadDefinition

    with pytest.raises(BadDefinition, match=sentence):
        define(text)
