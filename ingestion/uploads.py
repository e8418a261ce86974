"""Uploads: a file that a person looks at before it becomes a delivery."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from ingestion import lake, staging
from ingestion.arrival import take_in
from ingestion.business_date import business_date_of
from ingestion.control_totals import Declared
from ingestion.deliveries import Accepted, plan_normalization, take_as_detected
from ingestion.errors import IngestionError
from ingestion.models import Delivery, Normalization, Source

AREA = "uploads"
BYTES = "bytes"


class Settled(IngestionError):
    """An upload that waits no more."""


@dataclass(frozen=True)
class Upload:
    """A staged file of a source with the business date that it would have; `by` is the user's name."""

    token: UUID
    source_id: int
    name: str
    sha256: str
    size: int
    date: dt.date
    by: str
    declared: Declared | None = None

    @property
    def file(self) -> Path:
        """Where its bytes lie."""
        return staging.folder_of(AREA, self.token) / BYTES


def stage(
    *,
    source: Source,
    upload: UploadedFile,
    given: dt.date | None,
    by: str,
    sent: str = "",
    declared: Declared | None = None,
) -> Upload:
    """Keep and hash a file without making it a delivery. IngestionError when it has no business date, or not the sha256 that
    was sent with it; nothing is kept then."""
    token, folder = staging.begin(AREA)
    name = Path(str(upload.name)).name[:255]
    try:
        digest, size = staging.put(upload, folder / BYTES)
        staging.check_sent(name, digest, sent)
        date = business_date_of(source, folder / BYTES, name, given, timezone.now().date())
        note = {"source_id": source.pk, "name": name, "sha256": digest, "size": size, "by": by}
        manifest = declared.to_document() if declared else None
        staging.note(folder, {**note, "date": date.isoformat(), "declared": manifest})
    except BaseException:
        staging.drop(AREA, token)
        raise
    return Upload(token, source.pk, name, digest, size, date, by, declared)


def staged(token: UUID, by: str) -> Upload | None:
    """A person's own upload that waits; none where it is another's, was settled, or is more than a day old."""
    found = staging.noted(AREA, token, by)
    return None if found is None else _upload(token, found)


def all_staged(by: str) -> list[Upload]:
    """A person's own uploads that wait, the newest first."""
    return [_upload(token, found) for token, found in staging.all_noted(AREA, by)]


def _upload(token: UUID, found: Mapping[str, Any]) -> Upload:
    declared = Declared.from_document(found.get("declared"))
    return Upload(token, **{**found, "date": dt.date.fromisoformat(found["date"]), "declared": declared})


def held_already(upload: Upload, among: Sequence[int]) -> list[Delivery]:
    """Deliveries of the same bytes, of the sources `among` (ids), the newest first."""
    same = Delivery.objects.filter(sha256=upload.sha256, source__in=among).select_related("source")
    return list(same.order_by("-id")[:10])


@contextmanager
def bytes_of(upload: Upload) -> Iterator[Path]:
    """Its bytes under a name of their own, so that whoever settles it meanwhile takes them from nobody who reads them.
    Settled where they are gone."""
    folder = lake.work_folder("upload")
    try:
        file = folder / BYTES
        try:
            file.hardlink_to(upload.file)
        except FileNotFoundError:
            raise Settled(f"{upload.name} was accepted or discarded meanwhile, or its bytes are gone.") from None
        yield file
    finally:
        lake.discard(folder)


def accept_upload(upload: Upload, source: Source) -> tuple[Accepted, Normalization]:
    """Make it a delivery with the hash that was shown, to be read as its preview was. Twice gives the same delivery."""
    with bytes_of(upload) as file, transaction.atomic():
        if lake.sha256_of(file) != upload.sha256:
            raise IngestionError(f"The uploaded bytes of {upload.name} were changed. Upload the file again.")
        accepted = take_in(
            source=source, file=file, name=upload.name, given=upload.date, by=upload.by, declared=upload.declared
        )
        work = plan_normalization(accepted.delivery)
        take_as_detected(work)
    discard_upload(upload)
    return accepted, work


def discard_upload(upload: Upload) -> None:
    """Forget it with its bytes."""
    staging.drop(AREA, upload.token)
