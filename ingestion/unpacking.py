"""Unpacking gzip: the delivered bytes stay as they are, a copy is read."""

import gzip
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingestion.errors import UnreadableFile
from ingestion.lookup import lookup
from ingestion.sql_text import literal

MAGIC = b"\x1f\x8b"
TAR_AT, TAR = 257, b"ustar"
BLOCK = 1 << 20
LARGEST = 20 << 30  # bytes; beyond it a small file is a bomb


def unpacked(path: Path, folder: Path) -> Path:
    """The file itself, its inflated copy in `folder`, or the parts of a partition put together there."""
    with path.open("rb") as file:
        first = file.read(TAR_AT + len(TAR))
    if first[TAR_AT:] == TAR:
        return _together(path, folder)
    return _inflated(path, folder) if first.startswith(MAGIC) else path


def _together(path: Path, folder: Path) -> Path:
    """The rows of an archive's parts in one file; all are Parquet, or all are lines of JSON."""
    parts = folder / "parts"
    try:
        with tarfile.open(path) as archive:
            _check_members(archive.getmembers())
            archive.extractall(parts, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise UnreadableFile(f"The archive of the partition is damaged: {error}. Deliver it again.") from None
    files = [_inflated(it, it.parent) if _starts(it, MAGIC) else it for it in sorted(parts.iterdir())]
    target = folder / "together"
    if all(_starts(it, b"PAR1") for it in files):
        names = ", ".join(literal(str(it)) for it in files)
        try:
            with lookup() as duck:
                duck.execute(
                    f"COPY (SELECT * FROM read_parquet([{names}], union_by_name = true, hive_partitioning = false)) "
                    f"TO {literal(str(target))} (FORMAT parquet)"
                )
        except duckdb.Error as error:
            raise UnreadableFile(f"The parts of the partition do not fit together: {error}") from None
        return target
    if not all(_starts(it, b"{") for it in files):
        raise UnreadableFile(
            "A partition of several files has to be of Parquet files or of files with a JSON object a line."
        )
    with target.open("wb") as whole:
        for it in files:
            text = it.read_bytes()
            whole.write(text if text.endswith(b"\n") else text + b"\n")
    return target


def _check_members(members: Sequence[tarfile.TarInfo]) -> None:
    """Only plain files with a name of their own, as a drop packs them: nothing may be written elsewhere, or over another."""
    seen = set()
    for it in members:
        if not it.isreg() or "/" in it.name or it.name in ("", ".", "..") or it.name in seen:
            raise UnreadableFile(
                f"The archive holds {it.name[:100]!r}, which is no plain file with a name of its own. Deliver its files one by one."
            )
        seen.add(it.name)
    if sum(it.size for it in members) > LARGEST:
        raise UnreadableFile(f"The archive holds more than {LARGEST:,} bytes. Deliver it in parts.")


def _starts(path: Path, sign: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(sign)) == sign


def _inflated(path: Path, folder: Path) -> Path:
    target, size = folder / f"unpacked-{path.name[:80]}", 0
    try:
        with gzip.open(path) as packed, target.open("wb") as plain:
            while block := packed.read(BLOCK):
                size += plain.write(block)
                if size > LARGEST:
                    raise UnreadableFile(f"The gzip file inflates to more than {LARGEST:,} bytes. Deliver it in parts.")
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"The gzip file is damaged: {error}. Deliver it again.") from None
    if _starts(target, MAGIC):
        raise UnreadableFile("The gzip file holds another one. Deliver it packed once.")
    return target
