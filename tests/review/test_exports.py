"""Exports: the contract's columns, every format, and nothing that a spreadsheet would run."""

import csv
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ingestion.spreadsheets import safe
from reconciliation.models import Run
from review.exports import TABLES, WRITERS, BadExport, export
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> int:
    """A run with a passed break, an unexplained one, a lonely and a quarantined row."""
    left = [row("A"), row("B", "10.25"), row("=1+2"), row("U", "10.00"), "x,y"]
    return standing(left, [row("A"), row("B", "10.00"), row("U", "77.31")]).pk


@pytest.fixture
def run(made: int, db: None) -> Run:
    """That run, for one test."""
    return Run.objects.get(pk=made)


def test_differences_have_the_contracts_columns(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "d.csv"
    assert export("differences", run, target) == 3
    lines = {line["key"]: line for line in csv.DictReader(target.open(encoding="utf-8"))}
    assert list(lines["B"]) == [
        "run", "key", "field", "value_a", "value_b", "kind", "reason", "best_reason", "functional", "confidence", "proof",
        "assigned_by", "outcome",
    ]  # fmt: skip
    passed = lines["B"]
    assert (passed["field"], passed["value_a"], passed["value_b"]) == ("amount", "10.25", "10.00")
    assert (passed["reason"], passed["functional"], passed["outcome"]) == ("ROUNDING_DIFF", "true", "passed")
    assert lines["U"]["outcome"] == "review"
    assert lines["'=1+2"]["field"] == "*row*"


@pytest.mark.parametrize("what", TABLES)
@pytest.mark.parametrize("suffix", WRITERS)
def test_everything_can_be_written_in_every_format(run: Run, tmp_path: Path, what: str, suffix: str) -> None:
    target = tmp_path / f"out{suffix}"
    lines = export(what, run, target)
    assert lines > 0 and target.stat().st_size > 0
    if suffix == ".parquet":
        assert duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(target)]).fetchall() == [(lines,)]


def test_an_unknown_export_says_what_there_is(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadExport, match="there is records, breaks"):
        export("nope", run, tmp_path / "x.csv")
    with pytest.raises(BadExport, match=r"there is \.csv"):
        export("breaks", run, tmp_path / "x.doc")


def test_formulas_are_defused_and_numbers_stay() -> None:
    assert [safe(text) for text in ("=1+1", "+cmd", "@x", " =x", "-12.50", "+7.25", "plain")] == [
        "'=1+1", "'+cmd", "'@x", "' =x", "-12.50", "+7.25", "plain",
    ]  # fmt: skip
