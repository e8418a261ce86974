"""One record stored by itself leaves the store as a load of it would."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from django.db import transaction

from ingestion.models import RecordType
from reconciliation.models import Retraction
from reconciliation.store.check import check_store
from reconciliation.store.ddl import ensure_tables
from reconciliation.store.load import lock_places
from reconciliation.store.single import Storing, store_record
from tests.reconciliation.store_records import (
    DAY,
    Record,
    bucket_of,
    delivered,
    key_of,
    record_type,
    relation,
    rows,
    store_given,
    trade,
    trades,
)

pytestmark = pytest.mark.django_db
ALL = None
FATES = ("new", "changed", "unchanged", "older")


@dataclass(frozen=True)
class Given:
    """A record to store, the day that it is of, and what the mappings fill; everything where nothing is said."""

    record: Record
    day: dt.date = DAY
    mapped: frozenset[str] | None = ALL


def loaded(made: RecordType, given: Given, decision: int) -> str:
    """Store it as a run does."""
    with relation(made, [given.record]) as duck:
        told = store_given(made, duck, run=7, day=given.day, mapped=given.mapped, decision=decision)
    return next(fate for fate in FATES if getattr(told, fate))


def stored(made: RecordType, given: Given, decision: int) -> str:
    """Store it as a decision does."""
    shape = made.shape()
    key = key_of(shape, given.record)
    lock_places(made, (bucket_of(key), bucket_of(key)))
    return store_record(
        record_type=made,
        key=key,
        bucket=bucket_of(key),
        record=given.record,
        mapped=frozenset(leaf.name for leaf in shape.leaves) if given.mapped is None else given.mapped,
        storing=Storing(7, given.day, decision),
    )


def outcome(
    made: RecordType, given: Sequence[Given], store: Callable[[RecordType, Given, int], str]
) -> tuple[list[str], dict[str, list[str]]]:
    """What became of each record, and what the tables held after all of them; nothing of it stays."""
    around = transaction.atomic()
    around.__enter__()
    try:
        fates = [store(made, it, number) for number, it in enumerate(given, start=1)]
        assert [sentence for it in RecordType.objects.all() for sentence in check_store(it)] == []
        return fates, held()
    finally:
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


REFERENCES = {
    "counterparty": "counterparty",
    "currency": "currency",
    "book": "book",
    "buyer": "party",
    "seller": "party",
}


def held() -> dict[str, list[str]]:
    """The rows of the store, what they refer to by its hash; but for ids, moments and the seals that cover these."""
    found = rows("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'store'")
    tables = {name: [it for (it,) in rows(f"SELECT to_jsonb(t) FROM store.{name} t")] for (name,) in found}
    tables = {name: [json.loads(it) if isinstance(it, str) else it for it in found] for name, found in tables.items()}
    named = {(name, it["_id"]): it["_hash"] for name, found in tables.items() for it in found}

    def told(row: dict) -> str:
        opened = {name: named.get((REFERENCES.get(name), value), value) for name, value in row.items()}
        hidden = {"_id": 0, "_identity": 0, "_seal": 0, "_valid_from": 0, "_valid_to": row.get("_valid_to") is None}
        return json.dumps(opened | hidden, sort_keys=True)

    return {name: sorted(map(told, found)) for name, found in tables.items()}


def deals() -> RecordType:
    """Deals between two parties, of a book that is a part of their key."""
    party, book = record_type("party", name={"is_key": True}, country={}), record_type("book", name={"is_key": True})
    return delivered(
        record_type(
            "deal",
            book={"kind": "reference", "refers_to": book, "is_key": True},
            day={"kind": "date", "is_key": True},
            buyer={"kind": "reference", "refers_to": party},
            seller={"kind": "reference", "refers_to": party},
            moment={"kind": "datetime"},
            flag={"kind": "boolean"},
            rate={"kind": "decimal", "digits": 3, "places": 3},
        )
    )


DEAL = {
    "book": "FX|1\\", "day": "2026-11-20", "buyer": "ACME", "buyer.country": None, "seller": "ACME", "seller.country": "DE",
    "moment": "2026-11-20T18:00:00.5Z", "flag": "true", "rate": "-0.500",
}  # fmt: skip
UNMAPPED = frozenset({"id", "counterparty", "currency", "amount"})
OLDER = DAY - dt.timedelta(days=1)
CASES = {
    "new, unchanged, changed": (trades, [Given(trade()), Given(trade()), Given(trade(amount="2.00"))]),
    "older": (trades, [Given(trade()), Given(trade(amount="2.00", counterparty__country="FR"), OLDER)]),
    "older that says the same": (trades, [Given(trade()), Given(trade(), OLDER)]),
    "an attribute changes": (trades, [Given(trade()), Given(trade(counterparty__country="FR")), Given(trade("T-2"))]),
    "an attribute becomes empty": (trades, [Given(trade()), Given(trade(counterparty__country=None))]),
    "nothing maps an attribute": (
        trades,
        [Given(trade()), Given(trade(amount="3.00", counterparty__country=None), DAY, UNMAPPED),
         Given(trade("T-2", counterparty="NEW", counterparty__country=None), DAY, UNMAPPED)],
    ),
    "an empty reference": (trades, [Given(trade(counterparty=None, counterparty__country=None, currency=None))]),
    "odd texts": (trades, [Given(trade(text, counterparty=text)) for text in ("", "%s", "'", "{0}", "\\N", "x\x1fid=y", "日本😀")]),
    "two references to one thing": (
        deals, [Given(DEAL), Given(DEAL), Given(DEAL | {"buyer.country": "FR"}), Given(DEAL | {"buyer": "B", "rate": None})],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_record_is_stored_as_a_load_stores_it(case: str) -> None:
    make, given = CASES[case]
    ensure_tables(made := make())
    by_load, alone = outcome(made, given, loaded), outcome(made, given, stored)
    assert alone == by_load
    assert any(by_load[1].values())


def test_a_thing_that_others_refer_to_is_stored_by_itself() -> None:
    ensure_tables(trades())
    party = delivered(RecordType.objects.get(code="counterparty"))
    given = [Given({"name": "ACME", "country": country}) for country in ("DE", "DE", "FR")]
    assert outcome(party, given, stored) == outcome(party, given, loaded)


def test_versions_count_on_from_one_that_was_taken_back() -> None:
    ensure_tables(made := trades())
    stored(made, Given(trade()), 1)
    rows("UPDATE store.trade SET _valid_to = clock_timestamp() RETURNING _id")
    Retraction.objects.create(
        record_type=made, generation=1, row=1, key="T-1", bucket=bucket_of("T-1"), version=1, decision=1,
        at=rows("SELECT max(_valid_to) FROM store.trade")[0][0],
    )  # fmt: skip
    assert stored(made, Given(trade()), 2) == "new"
    assert rows("SELECT _version, _decision FROM store.trade WHERE _valid_to IS NULL") == [(2, 2)]
    assert rows("SELECT bool_and(_valid_from > at) FROM store.trade, reconciliation_retraction WHERE _version = 2") == [
        (True,)
    ]
