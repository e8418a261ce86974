"""What a file is, by its content."""

import re
from pathlib import Path

BLOCK = 1 << 16
NEAR = 1_000  # characters, in which a bank's own lines may stand before a statement
LISTED = 1 << 20  # bytes
WORKBOOK = b"xl/workbook.xml"
TYPES = ("csv", "fixed", "json", "ndjson", "xml", "parquet", "excel", "mt940", "camt053")
_MT940 = re.compile(r"\{1:F\d\d[A-Z]|:(?:20|25|28C?|60[FM]|61):")
_STATEMENT_LINE = re.compile(r"^:(?:61|6[02][FM]):", re.MULTILINE)
_OBJECT = re.compile(r'\{\s*("|\})')
_LIST = re.compile(r"\[\s*([\[{]|\]\s*$)")
_LIST_INSIDE = re.compile(r'":\s*\[\s*\{')
_XML = re.compile(r"<(?:\?xml|!--|!DOCTYPE|[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>(?! *[,;|\t]))")
_CAMT = re.compile(r"<(?:[\w.-]+:)?BkToCstmrStmt[\s>/]")


def type_of(path: Path) -> str:
    """The type of a file; `csv` where it looks like nothing else."""
    with path.open("rb") as file:
        first = file.read(BLOCK)
    if first.startswith((b"PAR1", b"PARE")):
        return "parquet"
    if first.startswith(b"PK\x03\x04"):
        return "excel" if _is_workbook(path) else "csv"
    return _type_of_text(_text(first).lstrip("\ufeff").lstrip())


def _text(first: bytes) -> str:
    encoding = "utf-16" if first.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return first.decode(encoding, errors="replace").replace("\0", "")


def _type_of_text(text: str) -> str:
    if _XML.match(text):
        return "camt053" if _CAMT.search(text) else "xml"
    if _LIST.match(text):
        return "json"
    if _OBJECT.match(text):
        return "ndjson" if _is_object_a_line(text) else "json"
    return "mt940" if _MT940.match(text) or _STATEMENT_LINE.search(text[:NEAR]) else "csv"


def _is_object_a_line(text: str) -> bool:
    """Whether objects follow each other line by line; a single one that holds a list of objects is a document."""
    first, _, rest = text.partition("\n")
    following = rest.lstrip()
    if not following:
        return not _LIST_INSIDE.search(first)
    return following.startswith("{") and not first.rstrip().endswith(("[", ",", ":"))


def _is_workbook(path: Path) -> bool:
    """Whether the archive's list of parts, at its end, names a workbook; it is not opened here, where nothing limits it."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - LISTED, 0))
        return WORKBOOK in file.read()
