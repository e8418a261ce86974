"""A record's physical line: counted in clean files, walked to in all others, the same either way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.detection import detect
from ingestion.framing import Located, locate
from ingestion.models import Normalization
from tests.conftest import HEADER


def test_a_clean_file_is_not_walked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clean.csv"
    path.write_text("id,name\n" + "".join(f"{n},Zoë {n}\n" for n in range(200_000)), encoding="utf-8")
    format_ = detect(path, {})
    monkeypatch.setattr("ingestion.framing.records", lambda *_: pytest.fail("It was walked through."))
    assert locate(path, format_, 1) == Located(2, "0,Zoë 0")
    assert locate(path, format_, 199_999) == Located(200_000, "199998,Zoë 199998")
    with pytest.raises(IndexError):
        locate(path, format_, 200_001)


def test_a_quoted_line_end_moves_the_lines_after_it(tmp_path: Path) -> None:
    path = tmp_path / "quoted.csv"
    path.write_text('id,name\n1,"two\nlines"\n2,plain\n', encoding="utf-8")
    assert locate(path, detect(path, {}), 2) == Located(4, "2,plain")


def test_what_is_odd_later_does_not_make_a_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "later.csv"
    long = f"1,{'x' * 1000}"
    path.write_text("id,name\n" + f"{long}\n" * 1_200 + '2,"two\nlines"\n', encoding="utf-8")
    format_ = detect(path, {})
    assert locate(path, format_, 1_201) == Located(1_202, '2,"two\nlines"')
    monkeypatch.setattr("ingestion.framing.records", lambda *_: pytest.fail("It was walked through."))
    assert locate(path, format_, 2) == Located(3, long)


def test_reading_in_threads_at_once_is_safe(tmp_path: Path) -> None:
    """One connection of DuckDB's module refuses a second caller; each page has its own."""
    from concurrent.futures import ThreadPoolExecutor

    from ingestion.value_sql import check_pattern

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(check_pattern, [r"\d+"] * 200)) == [None] * 200


def test_a_row_without_a_key_is_quarantined_with_its_line(
    trades: object, deliver: Callable[..., Normalization]
) -> None:
    work = deliver("left", f"{HEADER}\nA,2026-11-20,Acme,DE,10.00,EUR\n,2026-11-20,Acme,DE,10.00,EUR\n")
    (held,) = work.quarantined_rows.all()
    assert (held.record_number, held.line, held.raw) == (2, 3, ",2026-11-20,Acme,DE,10.00,EUR")
    assert held.reason == "The key (id) is blank."
