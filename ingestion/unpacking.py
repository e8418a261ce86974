"""Unpacking gzip: the delivered bytes stay as they are, a copy is read."""

import gzip
import zlib
from pathlib import Path

from ingestion.errors import UnreadableFile

MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20
LARGEST = 20 << 30  # bytes; beyond it a small file is a bomb


def unpacked(path: Path, folder: Path) -> Path:
    """The file itself, or its inflated copy in `folder`."""
    with path.open("rb") as file:
        if file.read(2) != MAGIC:
            return path
    target, size = folder / "unpacked", 0
    try:
        with gzip.open(path) as packed, target.open("wb") as plain:
            while block := packed.read(BLOCK):
                size += plain.write(block)
                if size > LARGEST:
                    raise UnreadableFile(f"The gzip file inflates to more than {LARGEST:,} bytes. Deliver it in parts.")
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"The gzip file is damaged: {error}. Deliver it again.") from None
    return target
