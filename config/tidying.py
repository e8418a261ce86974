"""Tidying the lake: what a killed attempt left behind, and nothing that a row names."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

from attribution.artifacts import path_of
from attribution.models import ModelVersion
from ingestion import lake, staging
from ingestion.models import Delivery, Normalization
from reconciliation.models import OutcomeFile
from review.models import Export

KEPT = dt.timedelta(days=1)  # longer than any attempt can run
WRITTEN = ("normalizations", "outcomes", "deliveries", "models", "exports", "work", *staging.AREAS)


def tidy(now: dt.datetime) -> list[str]:
    """Remove files and folders of the lake that no row names and that nobody touched for a day. Gives their names.

    The names are read after the files are listed: what is registered meanwhile is young, and stays.
    """
    old = [path for path in _written() if _age(path, now) > KEPT]
    named = _named()
    gone = [path for path in old if _name(path) not in named]
    for path in gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return sorted(map(_name, gone))


def _written() -> Iterator[Path]:
    """What is written as one thing: a delivery's bytes, a normalization (a file or a folder), an outcome file, a model, a work folder,
    a folder of what was staged and never accepted."""
    for top in WRITTEN:
        depth = {"deliveries": "*/*/*", "outcomes": "*/*"}.get(top, "*")
        yield from lake.local(top).glob(depth)


def _named() -> set[str]:
    return {
        *Delivery.objects.filter(tombstone=None).values_list("path", flat=True),
        *Normalization.objects.exclude(path="").values_list("path", flat=True),
        *OutcomeFile.objects.values_list("path", flat=True),
        *Export.objects.filter(removed_at=None).exclude(path="").values_list("path", flat=True),
        *map(path_of, ModelVersion.objects.values_list("artifact_sha256", flat=True)),
    }


def _name(path: Path) -> str:
    return str(path.relative_to(lake.local(".")))


def _age(path: Path, now: dt.datetime) -> dt.timedelta:
    return now - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
