"""A record's physical line: counted in clean files, walked to in all others, the same either way."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import framing
from ingestion.detection import detect
from ingestion.file_format import FileFormat
from ingestion.framing import Located, locate, located, records
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


@pytest.mark.parametrize(
    ("line", "end", "encoding"),
    [('"{n}","Zoë, {n}"', "\n", "utf-8"), ("{n},Zoë {n}", "\r\n", "utf-8"), ("{n};Zoë", "\r\n", "cp1252")],
)
def test_nor_do_quotes_that_close_and_other_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, end: str, encoding: str
) -> None:
    path = tmp_path / "usual.csv"
    lines = [line.replace("{n}", str(n)) for n in range(100_000)]
    path.write_bytes(end.join([line.replace("{n}", "id").replace("Zoë", "name"), *lines, ""]).encode(encoding))
    format_ = detect(path, {})
    monkeypatch.setattr("ingestion.framing.records", lambda *_: pytest.fail("It was walked through."))
    assert locate(path, format_, 99_999) == Located(100_000, lines[99_998])


LINES = [
    b"a,b", b'"a",b', b'"a', b'b"', b'a,"b""c"', b"", b"  ", b"\t", b"\xc2\xa0", b"\x85", b"\xe9,b", b"a\rb,c", b"\0,b", b"\xff,b",
    b"a", b"a,b,c", b"\x1c", b",",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from([b"\n", b"\r\n"])), min_size=1, max_size=12),
    st.sampled_from(["utf-8", "cp1252", "iso8859-1", "utf-8-sig"]),
    st.sampled_from([0, 1]),
)
def test_counting_finds_what_a_walk_finds(given_lines: list[tuple[bytes, bytes]], encoding: str, header: int) -> None:
    format_ = FileFormat(encoding, ",", '"', header or None, 0, ("id", "name"))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "file.csv"
        path.write_bytes(b"".join(line + end for line, end in given_lines))
        patch.setattr(framing, "BLOCK", 8)
        for n in count(1):
            try:
                walked = located(records(path, format_), n)
            except IndexError:
                break
            assert locate(path, format_, n) == walked
        with pytest.raises(IndexError):
            locate(path, format_, n)


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
