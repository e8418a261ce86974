"""What a format may say of a delimited file: header, lines above and below, marks, encoding."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from config.definitions.faults import BadDefinition
from ingestion.errors import IngestionError
from ingestion.models import Normalization
from tests.ingestion.test_nasty_files import rows_of

Define = Callable[[str], object]
Deliver = Callable[..., Normalization]
BY_NAME = "k: {column: k}, v: {column: v}"
BY_PLACE = "k: {column: column_1}, v: {column: column_2}"


def define_file(define: Define, format_: str, mapping: str = BY_NAME, kind: str = "type: text") -> None:
    """A source `given` with the fields `k` and `v`."""
    define(
        f"record_types: {{thing: {{fields: {{k: {{type: text, key: true}}, v: {{{kind}}}}}}}}}\n"
        f"sources: {{given: {{record_type: thing, format: {{{format_}}}, mapping: {{{mapping}}}}}}}\n"
    )


@pytest.mark.parametrize(
    ("format_", "mapping", "text", "rows"),
    [
        ("header: false", BY_PLACE, "1,x\n2,y\n", [("1", "x"), ("2", "y")]),
        ("header: false, skip: 1", BY_PLACE, "made today\n1,x\n", [("1", "x")]),
        ("header: 3", BY_NAME, "made today\n\nk,v\n1,x\n", [("1", "x")]),
        ("skip: 1", BY_NAME, "made today\nk,v\n1,x\n", [("1", "x")]),
        ("delimiter: '|'", "k: {column: k}, v: {column: 'v;w'}", "k|v;w\n1|x;y\n", [("1", "x;y")]),
        ("quote: \"'\"", BY_NAME, "k,v\n1,'a,b'\n2,'it''s'\n", [("1", "a,b"), ("2", "it's")]),
        ("type: csv", BY_NAME, 'k,v\n1,5" pipe\n2,"6"" pipe"\n3,x\n', [("1", '5" pipe'), ("2", '6" pipe'), ("3", "x")]),
        ("footer: {rows: 2, sum: v, count: true}", BY_NAME, "k,v\n1,10\n2,20\nCOUNT,2\nSUM,30\n", [("1", "10"), ("2", "20")]),
        ("footer: {rows: 1, sum: v}", "k: {column: k}, v: {column: column_2, decimal: ','}", "k;v\n1;1,5\nTOTAL;1,5\n", [("1", "1,5")]),
    ],
)  # fmt: skip
def test_a_format_says_how_a_file_is_read(
    define: Define, deliver: Deliver, format_: str, mapping: str, text: str, rows: list[tuple[str, str]]
) -> None:
    define_file(define, format_, mapping)
    work = deliver("given", text)
    found = rows_of(work, work.delivery.source.record_type.shape())
    assert [(row["k"], row["v"]) for row in found] == rows


@pytest.mark.parametrize(
    ("format_", "text", "says"),
    [
        ("skip: 9", "k,v\n1,x\n", "The file has 2 lines, but its format looks for its first one on line 10."),
        ("header: 9", "k,v\n1,x\n", "The file has 2 lines, but its format looks for its first one on line 9."),
        ("footer: {rows: 2, sum: v}", "k,v\n1,10\nCOUNT,1\nSUM,11\n", "the file has 10 v in all"),
        ("type: csv", "k,v\0\n1,x\n", "The header holds NUL bytes, so the file is no text."),
        ("type: csv", "\0" * 101, "The header holds NUL bytes, so the file is no text."),
    ],
)
def test_a_format_that_does_not_fit_is_said(
    define: Define, deliver: Deliver, format_: str, text: str, says: str
) -> None:
    define_file(define, format_)
    with pytest.raises(IngestionError, match=says):
        deliver("given", text)


def test_what_was_detected_is_shown(define: Define, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define_file(define, "type: csv")
    (file := tmp_path / "given.csv").write_text("k;v\n1;x\n", encoding="utf-8")
    call_command("deliver", "given", str(file))
    said = capsys.readouterr().out
    assert "Read as csv, utf-8, delimiter ';', quote '\"', header on line 1, 2 columns: k, v." in said


def test_an_encoding_is_one_of_texts(define: Define) -> None:
    with pytest.raises(BadDefinition, match="there is no encoding 'base64'"):
        define_file(define, "encoding: base64")
