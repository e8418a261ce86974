"""The lake: files written once, named by what they are and by their sha256."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from django.core.files.storage import default_storage

BLOCK = 1 << 20


class AlteredFile(Exception):
    """A file of the lake that is gone or no longer has the sha256 that it was written with."""


def local(name: str) -> Path:
    """The local path of a file of the lake."""
    return Path(default_storage.path(name))


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_hashed(blocks: Iterable[bytes], target: Path) -> tuple[str, int]:
    """Write and hash in one pass; gives the sha256 and the size in bytes."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        for block in blocks:
            digest.update(block)
            size += file.write(block)
    return digest.hexdigest(), size


def work_folder(name: str) -> Path:
    """A folder for half-made files; `discard` removes it."""
    folder = local("work") / f"{name}-{uuid4().hex[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def discard(folder: Path) -> None:
    """Remove a work folder."""
    shutil.rmtree(folder, ignore_errors=True)


def keep(made: Path, name: str) -> tuple[str, str]:
    """Move a finished file or folder into the lake; gives its name and sha256. A second time, the same name wins."""
    target = local(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = digest_of(made)
    if target.is_dir():
        shutil.rmtree(target)
    made.replace(target)
    return name, digest


def digest_of(path: Path) -> str:
    """The sha256 of a file, or of the sorted names and sha256s of a folder's files."""
    if path.is_file():
        return sha256_of(path)
    if not path.is_dir():
        return ""
    lines = (f"{file.relative_to(path)} {sha256_of(file)}\n" for file in sorted(path.rglob("*")) if file.is_file())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def checked(name: str, sha256: str) -> Path:
    """The local path, after its bytes were compared with their sha256; AlteredFile says which file failed."""
    path = local(name)
    if digest_of(path) != sha256:
        fate = "was changed" if path.exists() else "is gone"
        raise AlteredFile(f"File {name} of the lake {fate}. Restore it from a backup; nothing was read from it.")
    return path
