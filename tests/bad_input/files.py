"""Files that something is wrong with, by the numbers of docs/bad_input.md, and what becomes of each. The numbers that are
not here stand in the tables of tests/ingestion.

An outcome is the values of `v` that are kept and how many rows are quarantined, or a part of the sentence that refuses it.
"""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import duckdb

ROWS = b"k,v\nA,1\nB,2\n"
LINES = b'{"k": "A", "v": "1"}\n{"k": "B", "v": "2"}\n'
NOT_PLAIN = "which is no plain file with a name of its own"
Outcome = tuple[list[str], int] | str


def partition(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """A tar archive, as the files of a partition are kept."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    """A ZIP archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, content)
    return made.getvalue()


def parquet(query: str, folder: Path) -> bytes:
    """A Parquet file of a query."""
    path = folder / "made.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def wide(columns: int) -> bytes:
    """A file of one row and so many columns."""
    names, values = ["k", "v", *(f"c{n}" for n in range(2, columns))], ["A", "1", *["x"] * (columns - 2)]
    return f"{','.join(names)}\n{','.join(values)}\n".encode()


FILES: dict[str, tuple[bytes, Outcome]] = {
    "1 empty": (b"", "The file is empty (0 bytes)"),
    "3 only newlines": (b"\n\n\n", "it holds only blank lines"),
    "9 NUL in the header": (b"k,\x00v\nA,1\n", "The header holds NUL bytes"),
    "11 no last newline": (b"k,v\nA,1", (["1"], 0)),
    "14 bar": (b"k|v\nA|1\n", (["1"], 0)),
    "16 a header twice": (b"k,v,v\nA,1,2\n", (["1"], 0)),
    "17 a header in another case": (b"K,v\nA,1\n", "Did you mean 'K'?"),
    "17 spaces and zero-width characters around headers": ("\u200b k ,v\u200b\nA,1\n".encode(), (["1"], 0)),
    "11 line ends within the first values": (
        b'{"k": "A", "v": "a\\rb"}\n{"k": "B", "v": "a\\r\\nb"}\n{"k": "C\\r", "v": "a\\nb"}\n',
        (["a\rb", "a\r\nb", "a\nb"], 0),
    ),
    "18 a thousand columns": (wide(1000), (["1"], 0)),
    "18 more columns than are read": (wide(5001), "Its first line has 5,001 columns, more than 5,000."),
    "18 nothing but separators": (b";" * 400_000, "Its first line has 400,001 columns"),
    "19 a cell of 2 MB": (b"k,v\nA," + b"x" * (2 << 20) + b"\n", (["x" * (2 << 20)], 0)),
    "21 an undeclared totals line": (b"k,v\nA,1\nTOTAL,1\n", (["1", "1"], 0)),
    "30 zip": (zipped("../../evil", b"x"), "The file is a ZIP archive"),
    "30 a path that leads out": (partition(("../../evil", LINES), ("b", LINES)), NOT_PLAIN),
    "30 a path from the root": (partition(("/etc/evil", LINES), ("b", LINES)), NOT_PLAIN),
    "30 a symbolic link": (partition(("a", b""), kind=tarfile.SYMTYPE, link="/etc/passwd"), NOT_PLAIN),
    "30 a hard link": (partition(("a", b""), kind=tarfile.LNKTYPE, link="../../evil"), NOT_PLAIN),
    "30 a pipe": (partition(("a", b""), kind=tarfile.FIFOTYPE), NOT_PLAIN),
    "30 a name twice": (partition(("a", LINES), ("a", LINES)), NOT_PLAIN),
    "30 an archive in it": (partition(("a", partition(("x", LINES))), ("b", LINES)), "has to be of Parquet files"),
    "30 an archive that was cut": (partition(("a", LINES))[:700], "The archive of the partition is damaged"),
    "31 gzip with junk behind": (gzip.compress(ROWS) + b"junk", "The gzip file is damaged"),
    "31 gzip that was cut": (gzip.compress(ROWS)[:-5], "The gzip file is damaged"),
    "31 gzip in gzip": (gzip.compress(gzip.compress(ROWS)), "The gzip file holds another one"),
    "32 entities": (b'<!DOCTYPE x [<!ENTITY a "b">]><r><p><k>A</k><v>&a;</v></p></r>', "document type or entity"),
    "33 depth": (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
    "33 1e400": (b'[{"k": "A", "v": 1e400}]', (["1e400"], 0)),
    "36 no closing balance": (
        b":20:R\n:25:A\n:28C:1/1\n:60F:C261120EUR100,00\n:61:2611201120C10,00NTRF\n", "but no closing one (:62F:",
    ),
    "37 a namespace that is none": (
        b'<Document xmlns="urn:x"><BkToCstmrStmt><Stmt><Id>1</Id></Stmt></BkToCstmrStmt></Document>', ([], 0),
    ),
}  # fmt: skip
