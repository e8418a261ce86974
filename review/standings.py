"""Where the delivered rows of a key stood when runs ended, and their raw lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingestion import lake
from ingestion.buckets import bucket_of
from ingestion.file_format import FileFormat
from ingestion.files import locate
from ingestion.framing import Located
from ingestion.lookup import lookup
from ingestion.models import Normalization
from ingestion.sql_text import literal
from ingestion.unpacking import unpacked
from reconciliation.models import OutcomeFile, Reconciliation, Run


@dataclass(frozen=True)
class Standing:
    """A delivered row in the outcome of a run; `n` is its record number."""

    run: Run
    side: str
    delivery: int
    n: int
    state: str


def standings(reconciliations: Sequence[Reconciliation], key: str) -> list[Standing]:
    """The key's rows in the outcome files of ended runs, in the order of the runs; of each run one file has the key's bucket."""
    bucket = bucket_of(key)
    of_bucket = OutcomeFile.objects.filter(step__first_bucket__lte=bucket, step__last_bucket__gte=bucket)
    done = of_bucket.filter(step__run__reconciliation__in=reconciliations, step__run__state=Run.State.DONE)
    files = {str(lake.local(it.path)): it for it in done.select_related("step__run__rule_set").order_by("step__run_id")}
    found = _outcomes([path for path in files if Path(path).exists()], key)
    return [Standing(files[path].step.run, side, delivery, n, state) for path, side, delivery, n, state in found]


def _outcomes(paths: list[str], key: str) -> list[tuple[str, str, int, int, str]]:
    """What each outcome file says of the key: file, side, delivery, record number, state; in the order of the files."""
    if not paths:
        return []
    listed = ", ".join(map(literal, paths))
    with lookup() as duck:
        found = duck.execute(
            "SELECT filename, side, delivery, n, state FROM "
            f"read_parquet([{listed}], filename = true) WHERE key = ? ORDER BY delivery, side, n",
            [key],
        ).fetchall()
    return sorted(found, key=lambda row: paths.index(row[0]))


def raw_line(work: Normalization, n: int) -> Located | None:
    """A record's line as it stands in the delivered file; None when the lake no longer holds the file."""
    file = lake.local(work.delivery.path)
    if not file.exists():
        return None
    folder = lake.work_folder("journey")
    try:
        return locate(unpacked(file, folder), FileFormat.from_document(work.format), n)
    finally:
        lake.discard(folder)
