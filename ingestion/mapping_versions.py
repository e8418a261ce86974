"""Mapping versions: the one writer of what a source's columns become."""

import hashlib
import json
from collections.abc import Mapping as Document

from ingestion import custody
from ingestion.models import Mapping, Source


def canonical_json(document: object) -> str:
    """The one text of a document: sorted keys, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def change_mapping(source: Source, document: Document[str, object], *, by: str = "") -> int | None:
    """A new immutable mapping version, if the mapping or the format differs from the newest; gives its number."""
    text = canonical_json({"mapping": document, "format": source.format})
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    newest = source.mappings.order_by("-version").first()
    if newest is not None and newest.sha256 == sha256:
        return None
    version = newest.version + 1 if newest else 1
    mapping = Mapping.objects.create(
        source=source, version=version, document=dict(document), format=source.format, sha256=sha256, created_by=by
    )
    custody.seal([mapping])
    return version
