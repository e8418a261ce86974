"""Reference records that a person gives: stored as versions like those of a run, which they do not name."""

import datetime as dt
from collections.abc import Mapping, Sequence

import duckdb
from django.db import transaction

from ingestion.buckets import bucket_sql
from ingestion.models import RecordType
from ingestion.shape import Shape
from reconciliation.session import session
from reconciliation.store.identities import upsert_identities
from reconciliation.store.records import records_relation, store_relation
from reconciliation.store.tables import StoreRefusal, store_table

NO_RUN = 0  # the technical column `_run` of a row that no run brought
Record = Mapping[str, str | None]


@transaction.atomic
def put_reference_records(*, record_type: RecordType, records: Sequence[Record], business_date: dt.date) -> None:
    """Store records (leaf names to canonical texts) of a type that others refer to; unchanged ones are left alone.

    StoreRefusal when the store holds one with a later business date, or when a value fits no table.
    """
    table, shape = store_table(record_type), record_type.shape()
    with session(f"reference-{record_type.pk}-{transaction.get_connection().connection.info.backend_pid}") as (duck, _):
        records_relation(duck, shape, _keyed(duck, shape, records), "given_reference")
        if not table.has_versions:
            return upsert_identities(duck, "given_reference", shape, record_type)
        loaded = store_relation(
            duck,
            "given_reference",
            shape=shape,
            record_type=record_type,
            run_id=NO_RUN,
            business_date=business_date,
            mapped=frozenset(leaf.name for leaf in shape.leaves),
        )
        if loaded.older:
            keys = [row[0] for row in duck.execute("SELECT key FROM older_key ORDER BY key LIMIT 5").fetchall()]
            raise StoreRefusal(
                f"The store holds {loaded.older} of these with a later business date than {business_date}: "
                f"{', '.join(keys)}. Leave them out, or import on that day."
            )
    return None


def _keyed(duck: duckdb.DuckDBPyConnection, shape: Shape, records: Sequence[Record]) -> list[tuple[str, int, Record]]:
    """The records with their key texts and buckets."""
    keys = [key_text(shape, record) for record in records]
    buckets = duck.execute(f"SELECT {bucket_sql('key')} FROM unnest(?) AS t(key)", [keys])
    return [(key, row[0], record) for key, row, record in zip(keys, buckets.fetchall(), records, strict=True)]


def key_text(shape: Shape, record: Record) -> str:
    """The text of a record's key."""
    parts = [record[leaf.name] or "" for leaf in shape.key_leaves]
    if len(parts) == 1:
        return parts[0]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
