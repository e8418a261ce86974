"""A made export as a download: its hash and this server's signature beside it."""

import base64
from typing import IO

from django.http import FileResponse

from review.models import Export
from review.signing import NoSigningKey, signing_key

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "xml": "application/xml",
}


def as_download(made: Export, file: IO[bytes]) -> FileResponse:
    """An open file as an answer, under a name that no user chose."""
    name = f"tieout_{made.what}_{made.asked_at:%Y-%m-%d}_{made.pk}.{made.format}"
    headers = {"X-Content-SHA256": made.sha256, "ETag": f'"{made.sha256}"', **_signed(made)}
    return FileResponse(file, as_attachment=True, filename=name, content_type=TYPES[made.format], headers=headers)


def _signed(made: Export) -> dict[str, str]:
    """This server's signature of the file's sha256, as its 64 letters; none where it has no key to sign with."""
    try:
        value = signing_key().sign(made.sha256.encode())
    except NoSigningKey:
        return {}
    return {"X-Content-Signature": f"ed25519={base64.b64encode(value).decode()}"}
