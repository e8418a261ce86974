"""What a file is shows in its content, whatever its name says; two files of any types can be proposed for."""

import io
import zipfile
from pathlib import Path

import pytest

from config.suggesting import propose
from ingestion.readers.kinds import type_of
from tests.conftest import SHARED
from tests.ingestion.readers.test_excel import book

NASTY = sorted((SHARED / "nasty").glob("*.csv"))


def archive() -> bytes:
    """A ZIP that is no workbook."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("a.csv", "a,b\n")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"a": 1}\n{"a": 2}\n', "ndjson"),
        (b'{"a": 1}', "ndjson"),
        (b'{"a": 1\n{"a": 2}\n', "ndjson"),
        (b'{"rows": [\n{"a": 2}]}\n', "json"),
        (b'{"a": {"b": [1, 2]}}', "ndjson"),
        (b'{"data": [{"a": 1}]}', "json"),
        (b'{\n "a": 1}', "json"),
        (b'\xef\xbb\xbf \n[ {"a": 1} ]', "json"),
        ('[{"a": 1}]'.encode("utf-16"), "json"),
        (b"[]", "json"),
        (b"[id],[name]\n1,2\n", "csv"),
        (b"<TICKER>,<DATE>,<CLOSE>\nA,20261120,1\n", "csv"),
        (b"<a><b/></a>", "xml"),
        (b'<?xml version="1.0"?><a/>', "xml"),
        (b'<d:Document xmlns:d="x"><d:BkToCstmrStmt/></d:Document>', "camt053"),
        (b"{1:F01BANK}{2:I940}{4:\n:20:REF\n:25:A\n", "mt940"),
        (b"BANK\n940\n\n:20:REF\n:60F:C261120EUR1,\n", "mt940"),
        (b"at,what\n10:20:30,x\n", "csv"),
        (b"PAR1" + bytes(20), "parquet"),
        (book(), "excel"),
        (archive(), "csv"),
    ],
)
def test_content_says_what_it_is(content: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    assert type_of(path) == kind


@pytest.mark.parametrize("path", NASTY, ids=lambda path: path.name)
def test_delimited_text_stays_delimited(path: Path) -> None:
    assert type_of(path) == "csv"


def test_two_files_of_other_types_can_be_proposed_for(tmp_path: Path) -> None:
    a, b = tmp_path / "a.ndjson", tmp_path / "b.xlsx"
    rows: list[list[object]] = [[f"K{n:03}", f"2026-11-{n % 28 + 1:02}", n * 1.25, f"note {n % 7}"] for n in range(60)]
    a.write_text(
        "".join(f'{{"ref": "{i}", "trade": {{"day": "{d}", "sum": {s}}}, "text": "{t}"}}\n' for i, d, s, t in rows),
        encoding="utf-8",
    )
    b.write_bytes(book(rows=rows))
    proposal = propose(a, b)
    pairs = {field.pair.a.name: field.pair.b.name for field in proposal.suggestion.fields}
    assert pairs == {"ref": "id", "trade.day": "day", "trade.sum": "amount", "text": "note"}
    assert "format: {type: ndjson}" in proposal.text() and "format: {type: excel, sheet: Payments}" in proposal.text()
