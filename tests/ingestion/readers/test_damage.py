"""Whatever is done to a file's bytes, it is read with every row accounted for, or refused with a sentence."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import IngestionError
from ingestion.files import detect, frame, locate
from tests.conftest import SHARED

RECORDS = [{"id": f"T{n}", "amount": n / 4, "party": {"name": "Zoë", "tags": [1, None]}} for n in range(6)]
PIECES = [
    b'"', b"{", b"}", b"[", b"]", b",", b"\n", b"\r", b"\0", b"<", b">", b"&", b"\xff", b"<!DOCTYPE a>", b"NaN", b"1e999",
    b":61:", b":62F:", b":20:", b"\n-\n", b"<Ntry>", b"</Ntry>", b"\\u0000", b"\\ud800", b"PK\x03\x04", b" " * 300,
]  # fmt: skip
SEEDS = [
    json.dumps({"data": {"rows": RECORDS}}, indent=1).encode(),
    "\n".join(map(json.dumps, RECORDS)).encode(),
    (SHARED / "statements" / "camt053" / "camt053.v2.multi.statement.xml").read_bytes(),
    (SHARED / "statements" / "mt940" / "betterplace__sepa_snippet.sta").read_bytes(),
    (SHARED / "statements" / "mt940" / "jejik__ing.sta").read_bytes(),
]
Damage = list[tuple[int, int, bytes]]
DAMAGE = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 60), st.sampled_from(PIECES)), min_size=1, max_size=6
)


def damaged(content: bytes, damage: Damage) -> bytes:
    """The bytes with pieces put in the place of others."""
    for at, length, piece in damage:
        place = at % (len(content) + 1)
        content = content[:place] + piece + content[place + length :]
    return content


def read(content: bytes) -> None:
    """Read as a delivery is; every row is framed or rejected with a reason, and each can be found again."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            framed, format_ = frame(path, detect(path, {}), Path(folder))
        except IngestionError as refusal:
            assert str(refusal)[-1] in ".?" and folder not in str(refusal)
            return
        assert all(row.reason and row.line > 0 for row in framed.rejected)
        if framed.received:
            assert locate(path, format_, framed.received).line > 0
        with pytest.raises(IndexError):
            locate(path, format_, framed.received + 1)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SEEDS), DAMAGE)
def test_damaged_texts(content: bytes, damage: Damage) -> None:
    read(damaged(content, damage))


@settings(max_examples=25, deadline=None)
@given(DAMAGE)
def test_damaged_parquet(damage: Damage) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "seed.parquet"
        duckdb.execute(f"COPY (SELECT 'T' || i AS id, i * 1.5 AS amount FROM range(50) t(i)) TO '{path}'")
        content = path.read_bytes()
    read(damaged(content, damage))
