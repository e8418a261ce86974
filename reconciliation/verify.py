"""Verify: every row that a source handed over is in exactly one state, and nothing was changed by hand."""

from collections.abc import Iterator
from typing import Any

import duckdb
from django.db import connection

from ingestion import custody, lake
from ingestion.audit_chain import broken_chain, told_of_chain
from ingestion.models import Delivery, Normalization, RecordType, Tombstone
from ingestion.retention import deleted_in_all
from ingestion.sql_text import literal
from reconciliation.bulk import copy_out
from reconciliation.models import OutcomeFile, Reconciliation, Run
from reconciliation.session import session
from reconciliation.statement_check import left_unexplained
from reconciliation.store.check import check_store, export_hashes
from reconciliation.tally import wrong_tallies

Problems = Iterator[str]


def seals() -> Problems:
    """Every sealed row is as a service last wrote it."""
    yield from custody.broken_seals()


def lake_files() -> Problems:
    """Every file of the lake is there with the bytes that it was written with."""
    held = Delivery.objects.filter(tombstone=None).select_related("source")
    named = [(d.path, d.sha256, str(d)) for d in held]
    done = Normalization.objects.filter(state="done").select_related("delivery__source", "mapping__source")
    named += [(n.path, n.sha256, str(n)) for n in done]
    named += [(o.path, o.sha256, f"outcomes of {o.step}") for o in OutcomeFile.objects.select_related("step__run")]
    for path, sha256, owner in named:
        try:
            lake.checked(path, sha256)
        except lake.AlteredFile as error:
            yield f"{owner}: {error}"
    for stone in Tombstone.objects.select_related("delivery__source"):
        if lake.local(stone.delivery.path).exists():
            yield f"{stone}: the bytes were deleted on {stone.deleted_at:%Y-%m-%d}, but the file is there."


def forgotten() -> Problems:
    """What of the lake is gone on purpose, as a note."""
    deliveries, size = deleted_in_all()
    if deliveries:
        yield f"{deliveries:,} deliveries are kept without their {size:,} raw bytes, which retention deleted; each has a tombstone."


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def normalizations() -> Problems:
    """Received = normalized + quarantined, and each quarantined row is there."""
    for pk, told, found in _rows(
        "SELECT n.id, n.quarantined, count(q.id) FROM ingestion_normalization n LEFT JOIN ingestion_quarantinedrow q "
        "ON q.normalization_id = n.id WHERE n.state = 'done' GROUP BY n.id HAVING n.quarantined <> count(q.id) "
        "OR n.received <> n.normalized + n.quarantined"
    ):
        yield f"Normalization {pk} quarantined {told} rows, but {found} are kept."


def pushes() -> Problems:
    """Every pushed record has its receipt, and is in the delivery that was made of the pushes."""
    for pk, told, kept, received in _rows(
        "SELECT o.id, o.records, coalesce(sum(r.records), 0), max(n.received) FROM ingestion_opendelivery o "
        "LEFT JOIN ingestion_receipt r ON r.open_delivery_id = o.id "
        "LEFT JOIN ingestion_normalization n ON n.delivery_id = o.delivery_id AND n.state = 'done' "
        "GROUP BY o.id, n.id HAVING o.records <> coalesce(sum(r.records), 0) OR o.records <> max(n.received)"
    ):
        yield f"Open delivery {pk} took {told} records; receipts hold {kept}, its delivery {received}."


def repairs() -> Problems:
    """Every replayed row stands in a delivery that was made of repairs, and every record of such a delivery is one."""
    for pk, told, received in _rows(
        "SELECT d.id, (SELECT count(*) FROM ingestion_repair r WHERE r.delivery_id = d.id) AS repairs, n.received "
        "FROM ingestion_delivery d JOIN ingestion_normalization n ON n.delivery_id = d.id AND n.state = 'done' "
        "WHERE d.replayed_from_id IS NOT NULL"
    ):
        if told != received:
            yield f"Delivery {pk} was made of {received} repaired rows, but {told} repairs name it."
    for pk, delivery in _rows(
        "SELECT r.id, r.delivery_id FROM ingestion_repair r JOIN ingestion_delivery d ON d.id = r.delivery_id "
        "JOIN ingestion_quarantinedrow q ON q.id = r.row_id JOIN ingestion_normalization n ON n.id = q.normalization_id "
        "WHERE d.replayed_from_id IS DISTINCT FROM n.delivery_id"
    ):
        yield f"Repair {pk} names delivery {delivery}, which was made of another delivery's rows."


def outcomes() -> Problems:
    """Each ended run has one outcome per normalized row, and each row in a break has its member."""
    with session("verify") as (duck, _):
        for reconciliation in Reconciliation.objects.all():
            copy_out(
                duck,
                "SELECT m.side, m.delivery_id, m.record_number FROM reconciliation_member m JOIN reconciliation_break b "
                "ON b.id = m.break_id WHERE b.reconciliation_id = %s",
                "member",
                {"side": "VARCHAR", "delivery": "BIGINT", "n": "BIGINT"},
                [reconciliation.pk],
            )
            for run in reconciliation.runs.filter(state=Run.State.DONE).order_by("id"):
                yield from _outcomes_of(duck, run)


def _outcomes_of(duck: duckdb.DuckDBPyConnection, run: Run) -> Problems:
    files = [lake.local(file.path) for file in OutcomeFile.objects.filter(step__run=run)]
    if not all(path.exists() for path in files):
        return  # lake_files names it
    paths = ", ".join(literal(str(path)) for path in files)
    normalized = sum(i.normalization.normalized or 0 for i in run.inputs.select_related("normalization"))
    told = duck.execute(
        f"SELECT count(*), count(DISTINCT (side, delivery, n)) FROM read_parquet([{paths}])"
    ).fetchall()[0]
    if told != (normalized, normalized):
        yield f"Run {run.pk} took {normalized} rows, but {told[0]} outcomes of {told[1]} rows are written."
    lost = duck.execute(
        f"SELECT key, side FROM read_parquet([{paths}]) o WHERE state = 'in_break' AND NOT EXISTS "
        "(SELECT 1 FROM member m WHERE m.side = o.side AND m.delivery = o.delivery AND m.n = o.n) LIMIT 20"
    ).fetchall()
    for key, side in lost:
        yield f"Run {run.pk}: the row of key {key} on side {side.upper()} stands in a break, but no break has it."


def stored() -> Problems:
    """Each stored row came from a run's match, a passed break or a decision, and each match is stored."""
    for reconciliation in Reconciliation.objects.all():
        yield from _stored_of(reconciliation)


def statements() -> Problems:
    """The amounts that each ended run was given stand somewhere, to the last digit, and are those of its statement."""
    for reconciliation in Reconciliation.objects.all():
        yield from left_unexplained(reconciliation)


def store_rows() -> Problems:
    """Each stored row is as it was written."""
    for record_type in RecordType.objects.all():
        yield from check_store(record_type)


def _stored_of(reconciliation: Reconciliation) -> Problems:
    runs = reconciliation.runs.filter(state=Run.State.DONE)
    files = OutcomeFile.objects.filter(step__run__in=runs).values_list("path", "step__run_id")
    parts = [
        f"SELECT {run} AS run, * FROM read_parquet({literal(str(lake.local(path)))})"
        for path, run in files
        if lake.local(path).exists()
    ]
    if not parts:
        return
    with session("verify-store") as (duck, _):
        duck.execute(f"CREATE TEMP VIEW outcome AS {' UNION ALL '.join(parts)}")
        export_hashes(reconciliation.record_type, duck, "stored")
        missing = duck.execute(
            "SELECT DISTINCT o.run, o.key FROM outcome o WHERE o.state = 'stored' AND NOT EXISTS "
            "(SELECT 1 FROM stored s WHERE s.key = o.key) LIMIT 20"
        ).fetchall()
        for run, key in missing:
            yield f"Run {run} stored key {key}, but the store does not hold it."
        copy_out(
            duck,
            "SELECT key, hash FROM reconciliation_break b WHERE reconciliation_id = %s AND (state IN ('passed', 'approved') "
            # or once they were: then other values came, or an audit brought them back
            "OR EXISTS (SELECT 1 FROM reconciliation_member m WHERE m.break_id = b.id AND m.state = 'stored') "
            "OR EXISTS (SELECT 1 FROM reconciliation_gaterefusal g WHERE g.break_id = b.id AND g.condition = 'audit'))",
            "explained",
            {"key": "VARCHAR", "hash": "VARCHAR"},
            [reconciliation.pk],
        )
        ours = ", ".join(str(pk) for pk in runs.values_list("pk", flat=True))
        nowhere = duck.execute(
            f"SELECT s.key, s._run FROM stored s WHERE s._run IN ({ours}) AND s._decision IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM outcome o WHERE o.run = s._run AND o.key = s.key AND o.state = 'stored' AND o.hash = s._hash) "
            "AND NOT EXISTS (SELECT 1 FROM explained e WHERE e.key = s.key) LIMIT 20"
        ).fetchall()
        for key, run in nowhere:
            yield f"The store holds key {key} of run {run}, but the run did not let it through."


CHECKS = {
    "audit log as written": broken_chain,
    "sealed rows": seals,
    "files of the lake": lake_files,
    "received = normalized + quarantined": normalizations,
    "pushed = receipts = delivered": pushes,
    "repaired = replayed": repairs,
    "one outcome per row": outcomes,
    "amounts delivered = amounts explained": statements,
    "stored rows as written": store_rows,
    "store = what was let through": stored,
    "tallies = breaks": wrong_tallies,
}

NOTES = {
    "audit log as written": told_of_chain,
    "files of the lake": forgotten,
}  # what a check has to say although it holds
