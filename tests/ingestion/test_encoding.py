"""The encoding of a file of any size, found block by block."""

from pathlib import Path

import pytest

from ingestion import detection


@pytest.mark.parametrize(
    ("text", "encoding", "note"),
    [
        (b"a,b\nplain,text\n", "utf-8", ""),
        ("a,b\nÄpfel,Öl\n".encode() * 9, "utf-8", ""),
        ("a,b\nÄpfel,Öl\n".encode() * 9 + b"\xff,x\n", "utf-8", "but 1 lines hold bytes that are not"),
        ("a,b\nÄpfel,€\n".encode("cp1252") * 9, "cp1252", "are no UTF-8"),
        (b"a,b\n\xc4pfel,\x81\n" * 9, "latin-1", "are no UTF-8"),
        ("ohne Zeilenende Ä".encode(), "utf-8", ""),
    ],
)
def test_blocks_give_what_the_whole_file_gives(
    text: bytes, encoding: str, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(text)
    for size in (1 << 24, 40, 17):
        monkeypatch.setattr(detection, "ENCODING_BLOCK", size)
        found, notes = detection.text_encoding(path, text, {})
        assert found == encoding
        assert note in " ".join(notes)
