"""Whether anything was built on what a decision stored: a run that stored its key since, or another break that did."""

import datetime as dt

from ingestion import lake
from ingestion.lookup import lookup
from ingestion.sql_text import literal
from reconciliation.models import Break, OutcomeFile, RunStep

LETS_THROUGH = (Break.State.PASSED, Break.State.APPROVED)


def built_on(brk: Break, since: dt.datetime) -> str:
    """What has stored the break's key since, as a sentence; empty for nothing. Every reconciliation of the same record type
    counts, since they share the store."""
    return _another_break(brk, since) or _a_run(brk, since)


def _another_break(brk: Break, since: dt.datetime) -> str:
    same = Break.objects.filter(reconciliation__a__record_type=brk.reconciliation.record_type, key=brk.key)
    other = same.filter(state__in=LETS_THROUGH, closed_at__gt=since).exclude(pk=brk.pk).first()
    if other is None:
        return ""
    return f"The same record was {other.get_state_display().lower()} in {other.reconciliation} since."


def _a_run(brk: Break, since: dt.datetime) -> str:
    """A matched or confirmed record leaves no version of its own where the store has the same values already."""
    files = OutcomeFile.objects.filter(
        step__run__reconciliation__a__record_type=brk.reconciliation.record_type,
        step__state=RunStep.State.DONE,
        step__finished_at__gt=since,
        step__first_bucket__lte=brk.bucket,
        step__last_bucket__gte=brk.bucket,
    )
    for path, run in files.order_by("step__run").values_list("path", "step__run"):
        file = lake.local(path)
        if not file.exists():
            return (
                f"Run {run} came since, and its outcomes are no longer in the lake, so nobody can tell what it stored."
            )
        if _is_stored(str(file), brk.key):
            return f"Run {run} stored {brk.key} since."
    return ""


def _is_stored(file: str, key: str) -> bool:
    with lookup() as duck:
        query = f"SELECT 1 FROM read_parquet({literal(file)}) WHERE key = ? AND state = 'stored' LIMIT 1"
        return duck.execute(query, [key]).fetchone() is not None
