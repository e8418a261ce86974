"""The encodings of texts that have a standard: UTF-8 unless a mark, or the definition, says otherwise."""

import codecs
from collections.abc import Mapping
from pathlib import Path

from ingestion.detection import known_encoding

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def unicode_encoding(path: Path, declared: Mapping[str, object]) -> str:
    """The declared encoding, or that of the byte order mark, or UTF-8."""
    if given := declared.get("encoding"):
        return known_encoding(str(given))
    with path.open("rb") as file:
        first = file.read(4)
    if first[1:2] == b"\0" and first[:1] not in (b"\0", b"\xff"):
        return "utf-16-le"
    return next((name for mark, name in MARKS if first.startswith(mark)), "utf-8")
