"""Storing single records that passed the gate later than their run: explained ones, and those that a person approved."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence

import duckdb
import numpy as np

from ingestion.models import RecordType
from ingestion.shape import Shape
from reconciliation.bulk import Column, columns
from reconciliation.engine.record_hash import own_leaves, record_hash_sql
from reconciliation.inputs import leaf_text, typed_sql
from reconciliation.store.identities import upsert_identities
from reconciliation.store.load import Loaded, count_of, load_rows, lock_buckets
from reconciliation.store.tables import store_table

Record = Mapping[str, str | None]


def records_relation(
    duck: duckdb.DuckDBPyConnection, shape: Shape, rows: Sequence[tuple[str, int, Record]], into: str
) -> None:
    """Create the DuckDB temp table `into` (key, bucket, every leaf, hash) from (key, bucket, canonical texts)."""
    given: dict[str, Column] = {
        "key": [key for key, _, _ in rows],
        "bucket": np.array([bucket for _, bucket, _ in rows], dtype=np.uint8),
        "record": [json.dumps(record) for _, _, record in rows],
    }
    texts = ", ".join(f"{leaf_text('CAST(record AS JSON)', leaf)} AS {leaf.column}" for leaf in shape.leaves)
    with columns(duck, "given_records", given):
        typed_relation(duck, shape, f"SELECT CAST(key AS VARCHAR) AS key, bucket, {texts} FROM given_records", into)


def typed_relation(duck: duckdb.DuckDBPyConnection, shape: Shape, texts: str, into: str) -> None:
    """Create the same table from SQL of key, bucket and each leaf's canonical text under the leaf's column."""
    leaves = ", ".join(f"{typed_sql(leaf, leaf.column)} AS {leaf.column}" for leaf in shape.leaves)
    own = own_leaves(shape)
    hashed = record_hash_sql(own, [leaf.column for leaf in own])
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT *, {hashed} AS hash FROM "
        f"(SELECT key, bucket, {leaves} FROM ({texts}))"
    )


def store_relation(
    duck: duckdb.DuckDBPyConnection,
    relation: str,
    *,
    shape: Shape,
    record_type: RecordType,
    run_id: int,
    business_date: dt.date,
    mapped: frozenset[str],
    decision_id: int | None = None,
    each_decided: bool = False,
    bucket_range: tuple[int, int] = (0, 63),
) -> Loaded:
    """Upsert the identities of a relation and load its rows, in the caller's transaction. Their places are held first: identities
    stay locked until the transaction ends, and whoever waits for a place must not hold what its holder waits for."""
    if (table := store_table(record_type)).has_versions:
        lock_buckets(table, bucket_range, count_of(duck, relation))
    upsert_identities(duck, relation, shape, record_type)
    return load_rows(
        duck,
        relation,
        shape=shape,
        record_type=record_type,
        run_id=run_id,
        business_date=business_date,
        mapped=mapped,
        decision_id=decision_id,
        each_decided=each_decided,
        bucket_range=bucket_range,
    )
