"""Staging: what a person handed in and has not accepted yet, a folder of the lake each, gone when it is a day old."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile

from ingestion import lake
from ingestion.errors import IngestionError

AREAS = ("setup", "uploads")
KEPT_SECONDS = 24 * 3600
NOTE = "note.json"


def begin(area: str) -> tuple[UUID, Path]:
    """A new folder of an area; what is too old there goes."""
    for folder in lake.local(area).glob("*"):
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)
    token = uuid4()
    folder_of(area, token).mkdir(parents=True)
    return token, folder_of(area, token)


def folder_of(area: str, token: UUID) -> Path:
    """Where a staged thing lies."""
    return lake.local(area) / str(token)


def _is_old(folder: Path) -> bool:
    """Whether its time is over; not so of one that is removed at this moment."""
    with suppress(FileNotFoundError):
        return time.time() - folder.stat().st_mtime > KEPT_SECONDS
    return False


def put(upload: UploadedFile, target: Path) -> tuple[str, int]:
    """Write an uploaded file; gives its sha256 and its size in bytes."""
    return lake.write_hashed(upload.chunks(), target)


def check_sent(name: str, digest: str, sent: str) -> None:
    """IngestionError where the bytes that arrived do not have the sha256 that they were sent with, if one was."""
    if sent and sent.strip().lower() != digest:
        raise IngestionError(
            f"{name} arrived with the sha256 {digest}, but {sent.strip()[:64]} was sent. Send the file again; nothing was taken."
        )


def note(folder: Path, document: Mapping[str, Any]) -> None:
    """Write down what is staged; `by` says whose it is."""
    (folder / NOTE).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def noted(area: str, token: UUID, by: str) -> dict[str, Any] | None:
    """What was written down of a person's own staged thing; none where it is another's, too old or gone."""
    folder = folder_of(area, token)
    try:
        found: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return found if found["by"] == by and not _is_old(folder) else None
    except FileNotFoundError:
        return None


def all_noted(area: str, by: str) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """A person's own staged things, the newest first."""
    with_time: list[tuple[float, UUID]] = []
    for folder in lake.local(area).glob("*"):
        with suppress(FileNotFoundError, ValueError):
            with_time.append((folder.stat().st_mtime, UUID(folder.name)))
    for _, token in sorted(with_time, reverse=True):
        if found := noted(area, token, by):
            yield token, found


def drop(area: str, token: UUID) -> None:
    """Remove a staged thing with its files."""
    shutil.rmtree(folder_of(area, token), ignore_errors=True)
