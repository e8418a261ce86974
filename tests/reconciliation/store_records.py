"""Record types and records for tests of the store, through the doors that the runs use."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
from django.db import connection, transaction

from ingestion.models import Field, RecordType, Source
from ingestion.shape import Shape
from reconciliation.store.identities import upsert_identities
from reconciliation.store.load import Loaded, load_rows
from reconciliation.store.records import records_relation

DAY = dt.date(2026, 11, 20)
Record = Mapping[str, str | None]


def record_type(code: str, /, **fields: Mapping[str, object]) -> RecordType:
    """A record type that a source delivers; a field is its model's values, `text=True` is not needed."""
    made = RecordType.objects.create(code=code)
    for position, (name, given) in enumerate(fields.items()):
        Field.objects.create(record_type=made, position=position, code=name, **({"kind": "text"} | dict(given)))
    return made


def delivered(made: RecordType) -> RecordType:
    """The same record type, with a source of its own."""
    Source.objects.create(code=f"{made.code}_feed", record_type=made)
    return made


def trades() -> RecordType:
    """Trades with a counterparty (name, country) and a currency (code alone)."""
    counterparty = record_type("counterparty", name={"is_key": True}, country={})
    currency = record_type("currency", code={"is_key": True})
    return delivered(
        record_type(
            "trade",
            id={"is_key": True},
            counterparty={"kind": "reference", "refers_to": counterparty},
            currency={"kind": "reference", "refers_to": currency},
            amount={"kind": "decimal", "digits": 18, "places": 2},
        )
    )


def trade(key: str = "T-1", **values: str | None) -> Record:
    """A trade's record by leaf names."""
    plain = {"id": key, "counterparty": "ACME", "counterparty.country": "DE", "currency": "EUR", "amount": "1.00"}
    return plain | {name.replace("__", "."): value for name, value in values.items()}


def key_of(shape: Shape, record: Record) -> str:
    """The record's key text."""
    parts = [str(record[leaf.name]) for leaf in shape.key_leaves]
    if len(parts) == 1:
        return parts[0]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


@contextmanager
def relation(made: RecordType, records: Sequence[Record]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with the records as `given`."""
    shape = made.shape()
    rows = [(key_of(shape, record), bucket_of(key_of(shape, record)), record) for record in records]
    with duckdb.connect() as duck:
        records_relation(duck, shape, rows, "given")
        yield duck


def bucket_of(key: str) -> int:
    """The bucket of a key, as normalization counts it."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[8:], "little") % 64


def store(
    made: RecordType, *records: Record, run: int = 1, day: dt.date = DAY, mapped: frozenset[str] | None = None
) -> Loaded:
    """Store records as a run does."""
    with relation(made, records) as duck:
        return store_given(made, duck, run=run, day=day, mapped=mapped)


def store_given(
    made: RecordType,
    duck: duckdb.DuckDBPyConnection,
    *,
    run: int = 1,
    day: dt.date = DAY,
    mapped: frozenset[str] | None = None,
    decision: int | None = None,
) -> Loaded:
    """Store the DuckDB table `given`."""
    shape = made.shape()
    upsert_identities(duck, "given", shape, made)
    with transaction.atomic():
        return load_rows(
            duck,
            "given",
            shape=shape,
            record_type=made,
            run_id=run,
            business_date=day,
            mapped=frozenset(leaf.name for leaf in shape.leaves) if mapped is None else mapped,
            decision_id=decision,
        )


def rows(query: str, *params: object) -> list[tuple]:
    """What a query says."""
    with connection.cursor() as cursor:
        cursor.execute(query, list(params) or None)
        return cursor.fetchall()


def execute(statement: str, *params: object) -> None:
    """By hand."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(params) or None)
