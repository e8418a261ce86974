"""Files 1 to 37, on the upload page and as deliveries: both say the same, no page fails, and no row is lost."""

from collections.abc import Callable
from pathlib import Path

import duckdb
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ingestion import lake
from ingestion.deliveries import normalize_delivery
from ingestion.errors import IngestionError
from ingestion.models import Normalization
from ingestion.preview import Preview
from ingestion.uploads import accept_upload
from tests.bad_input.files import FILES, LINES, Outcome, parquet, partition
from tests.conftest import DAY, problems

GIVEN = """
record_types: {thing: {fields: {k: {type: text, key: true}, v: {type: text}}}}
sources: {given: {record_type: thing, mapping: {k: {column: k}, v: {column: v}}}}
"""


def more(folder: Path) -> dict[str, tuple[bytes, Outcome]]:
    """Those that have to be written first."""
    nested = parquet("SELECT 'A' AS k, [1.50, 2.25] AS v, {'x': 1} AS w", folder)
    return {
        "30 a partition of lines": (partition(("000000-a", LINES), ("000001-b", LINES)), (["1", "2", "1", "2"], 0)),
        "35 Parquet with nested types": (nested, (["[1.50, 2.25]"], 0)),
        "35 Parquet with a wrong footer": (nested[:-4] + b"XXXX", "The Parquet file cannot be read"),
    }


def test_each_file_has_its_outcome_on_the_page_and_as_a_delivery(
    define: Callable[[str], object], staff: Callable[[str], User], client: Client, tmp_path: Path
) -> None:
    define(GIVEN)
    staff("Analyst")
    files = FILES | more(tmp_path)
    assert {number: _outcome(client, body, told) for number, (body, told) in files.items()} == {
        number: told for number, (_, told) in files.items()
    }
    assert problems() == []


def _outcome(client: Client, body: bytes, told: Outcome) -> Outcome:
    """What became of a file; its sentence is cut down to the part that is told, where it holds that."""
    form = {"source": "given", "date": str(DAY), "file": SimpleUploadedFile("given", body)}
    shown = client.get(client.post(reverse("upload"), form).headers["Location"])
    assert shown.status_code == 200
    found: Preview = shown.context["found"]
    _, work = accept_upload(shown.context["upload"], shown.context["source"])
    try:
        work = normalize_delivery(work)
    except IngestionError as error:
        assert str(error) == Normalization.objects.latest("pk").error
        assert found.error and str(error).startswith(found.error)  # it may also say which mapping is proposed
        return told if isinstance(told, str) and told in found.error else found.error
    assert found.counts is not None
    counted = (work.received, work.normalized, work.quarantined)
    assert counted == (found.counts.received, found.counts.normalized, found.counts.quarantined)
    value = work.mapping.source.record_type.shape().leaf("v").column
    query = f"SELECT {value} FROM read_parquet('{lake.local(work.path)}') ORDER BY n"
    return [text for (text,) in duckdb.execute(query).fetchall()], work.quarantined or 0
