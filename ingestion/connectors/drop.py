"""Drop: files that appear under a URL glob, in a local folder or an S3 bucket; a hive-style partition is one of them.

What goes back to a source is put into such a folder.
"""

import datetime as dt
import hashlib
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
from django.conf import settings

from ingestion.connectors.credentials import secret
from ingestion.connectors.offer import Offer, PullError

BLOCK = 1 << 20
PROTOCOLS = ("file", "s3")
MOST_FILES = 100_000
_PARTITION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=([^/]+)")
_HIDDEN = re.compile(r"/[._][^/]*$")  # _SUCCESS, .crc, and what a writer has not renamed yet


@dataclass(frozen=True)
class Found:
    """A file of the drop: its name, size in bytes, and ETag or time of change."""

    name: str
    size: int
    version: str


class Drop:
    """The files of a source's URL glob."""

    def __init__(self, connection: Mapping[str, object]) -> None:
        url = str(connection.get("url", ""))
        self.protocol = urlsplit(url).scheme or "file"
        if self.protocol not in PROTOCOLS:
            raise PullError(f"A drop lies at file:// or s3://, not at {self.protocol}://.")
        self.glob = url.removeprefix(f"{self.protocol}://")
        if self.protocol == "file":
            self.glob = str(
                Path(settings.DROP_FOLDERS[0]).resolve() / self.glob
            )  # one that begins with / stays as it is
            _check_folder(Path(self.glob))
        self.files = fsspec.filesystem(self.protocol, **self._options(connection))

    def _options(self, connection: Mapping[str, object]) -> dict[str, Any]:
        if self.protocol == "file":
            return {"use_listings_cache": False, "skip_instance_cache": True}
        options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
        if "key" in connection:
            options |= {"key": secret(connection["key"]), "secret": secret(connection.get("secret"))}
        if endpoint := connection.get("endpoint"):
            options["endpoint_url"] = _checked_endpoint(str(endpoint))
        return options

    def offers(self) -> Iterator[Offer]:
        """One per file; one per folder where the path names a partition (`dt=2026-11-20`)."""
        found = sorted(self._found(), key=lambda it: it.name)
        for place, files in groupby(found, key=lambda it: _partition(it.name)):
            parts = list(files)
            if place is None:
                yield from (Offer(it.name, _mark([it])) for it in parts)
            else:
                yield Offer(place, _mark(parts), _date(place))

    def _found(self) -> Iterator[Found]:
        try:
            listed = self.files.glob(self.glob, detail=True)
        except (OSError, ValueError) as error:
            raise PullError(f"The drop {self.protocol}://{self.glob} cannot be listed: {_plain(error)}") from None
        if not listed:
            self._check_place()
        if len(listed) > MOST_FILES:
            raise PullError(f"The drop holds more than {MOST_FILES:,} files. Move away what was taken long ago.")
        for info in listed.values():
            if info["type"] == "file" and not info.get("islink") and not _HIDDEN.search(f"/{info['name']}"):
                yield _seen(info)

    def _check_place(self) -> None:
        """Say so when nothing can ever be found, since the folder or bucket itself is not there."""
        place = self.glob.split("/", 1)[0] if self.protocol == "s3" else str(_fixed(Path(self.glob)))
        try:
            is_there = self.files.exists(place)
        except OSError:
            is_there = False
        if not is_there:
            raise PullError(f"There is no {place}, or this source may not look into it. Check its url and credentials.")

    def fetch(self, offer: Offer, target: Path) -> str:
        """Copy the file, or the partition's files as one tar archive. Gives the offer's mark."""
        parts = self._parts(offer.name)
        if _mark(parts) != offer.mark:
            raise PullError(f"{offer.name} changed while it was read. It is taken when it is the same twice.")
        try:
            if len(parts) == 1:
                self._copy(parts[0], target)
            else:
                self._pack(parts, target)
        except OSError as error:
            raise PullError(f"{offer.name} cannot be read: {_plain(error)}") from None
        return offer.mark

    def put(self, file: Path, name: str) -> str:
        """Write a file into the drop's folder, whole or not at all; gives where it lies. What had its name is replaced."""
        place = f"{self.glob.rstrip('/')}/{name}"
        hidden = f"{self.glob.rstrip('/')}/.{name}.part"  # a bucket shows nothing before it is whole
        try:
            if self.protocol == "file":
                self.files.makedirs(self.glob, exist_ok=True)
                self.files.put_file(str(file), hidden)
                self.files.mv(hidden, place)
            else:
                self.files.put_file(str(file), place)
        except OSError as error:
            raise PullError(f"{self.protocol}://{place} cannot be written: {_plain(error)}") from None
        return f"{self.protocol}://{place}"

    def _parts(self, name: str) -> list[Found]:
        """The file of that name, looked at anew, or the files of the partition."""
        try:
            info = self.files.info(name)
        except OSError:
            return []
        if info["type"] == "file":
            return [_seen(info)]
        return sorted((it for it in self._found() if _partition(it.name) == name), key=lambda it: it.name)

    def _copy(self, found: Found, target: Path) -> None:
        if self.protocol == "file":
            _check_folder(Path(found.name))
        with self.files.open(found.name, "rb") as file, target.open("wb") as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        if target.stat().st_size != found.size:
            raise PullError(f"{found.name} changed while it was read. It is taken when it is the same twice.")

    def _pack(self, parts: Iterable[Found], target: Path) -> None:
        """The parts in the order of their names; the same parts give the same bytes."""
        held = target.with_name(f"{target.name}.part")
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
            for number, part in enumerate(parts):
                self._copy(part, held)
                member = tarfile.TarInfo(f"{number:06}-{part.name.rsplit('/', 1)[-1]}"[:99])
                member.size = held.stat().st_size
                with held.open("rb") as file:
                    archive.addfile(member, file)
        held.unlink(missing_ok=True)


def _seen(info: Mapping[str, Any]) -> Found:
    version = info.get("ETag") or info.get("mtime") or info.get("LastModified")
    return Found(str(info["name"]), int(info["size"]), str(version).strip('"'))


def _check_folder(path: Path) -> None:
    """Refuse what lies outside the folders that the operator opened to drops, whatever links say."""
    fixed = _fixed(path)
    roots = [Path(root).resolve() for root in settings.DROP_FOLDERS]
    if not any(fixed.resolve().is_relative_to(root) for root in roots):
        opened = ", ".join(map(str, roots))
        raise PullError(f"{fixed} is in no folder for drops. Those are: {opened} (setting DROP_FOLDERS).")


def _fixed(path: Path) -> Path:
    """The part of a glob before its first sign."""
    return next(it for it in (path, *path.parents) if not any(sign in str(it) for sign in "*?["))


def _checked_endpoint(url: str) -> str:
    if urlsplit(url).hostname not in settings.OUTBOUND_HOSTS:
        raise PullError(f"The host {urlsplit(url).hostname} is not one that sources may call (setting OUTBOUND_HOSTS).")
    return url


def _partition(name: str) -> str | None:
    """The folder of a file, when one of its folders is `name=value`."""
    folder, _, _ = name.rpartition("/")
    return folder if _PARTITION.search(folder) else None


def _date(folder: str) -> dt.date | None:
    """The date that a partition names."""
    for value in reversed(_PARTITION.findall(folder)):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            continue
    return None


def _mark(parts: Iterable[Found]) -> str:
    return hashlib.sha256("\n".join(f"{it.name}|{it.size}|{it.version}" for it in parts).encode()).hexdigest()


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
