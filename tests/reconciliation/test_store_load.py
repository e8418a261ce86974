"""What the store promises of rows: third normal form, versions, nothing rewritten without need."""

import datetime as dt
from concurrent.futures import ProcessPoolExecutor

import duckdb
import pytest
from django.db import connection, connections, transaction

from ingestion.models import RecordType
from reconciliation.engine.record_hash import own_leaves, record_hash_sql
from reconciliation.store.check import check_store
from reconciliation.store.conflicts import reference_conflicts, unstorable_sql
from reconciliation.store.ddl import ensure_tables
from reconciliation.store.identities import identities_of, upsert_identities
from reconciliation.store.load import Loaded, load_rows
from reconciliation.store.tables import StoreRefusal, store_table
from tests.reconciliation.store_records import (
    DAY,
    delivered,
    record_type,
    relation,
    rows,
    store,
    store_given,
    trade,
    trades,
)

pytestmark = pytest.mark.django_db
OLDER, NEWER = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)


@pytest.fixture
def trade_type() -> RecordType:
    made = trades()
    ensure_tables(made)
    return made


def test_a_flat_record_lands_in_third_normal_form(trade_type: RecordType) -> None:
    assert store(trade_type, trade("T-1"), trade("T-2", currency="USD")) == Loaded(2, 0, 0, 0)
    assert rows("SELECT name FROM store.counterparty") == [("ACME",)]
    assert rows("SELECT country FROM store.counterparty_version") == [("DE",)]
    assert rows("SELECT code FROM store.currency ORDER BY code") == [("EUR",), ("USD",)]
    assert rows(
        "SELECT t.id, p.name, c.code, t.amount::text FROM store.trade t JOIN store.counterparty p ON p._id = t.counterparty "
        "JOIN store.currency c ON c._id = t.currency ORDER BY t.id"
    ) == [("T-1", "ACME", "EUR", "1.00"), ("T-2", "ACME", "USD", "1.00")]
    assert rows("SELECT to_regclass('store.currency_version')") == [(None,)]


def test_a_changed_record_closes_its_row_and_adds_a_version(trade_type: RecordType) -> None:
    store(trade_type, trade(amount="1.00"), run=1)
    assert store(trade_type, trade(amount="2.00"), run=2) == Loaded(0, 1, 0, 0)
    first, second = rows("SELECT _version, amount, _run, _valid_from, _valid_to FROM store.trade ORDER BY _version")
    assert (first[0], str(first[1]), first[2]) == (1, "1.00", 1)
    assert (second[0], str(second[1]), second[2], second[4]) == (2, "2.00", 2, None)
    assert first[4] == second[3]


def test_unchanged_rows_are_not_rewritten(trade_type: RecordType) -> None:
    store(trade_type, trade(), run=1)
    before = rows("SELECT ctid::text, xmin::text, _run FROM store.trade")
    assert store(trade_type, trade(), run=2, day=NEWER) == Loaded(0, 0, 1, 0)
    assert rows("SELECT ctid::text, xmin::text, _run FROM store.trade") == before


def test_an_older_date_never_replaces_a_newer_row(trade_type: RecordType) -> None:
    store(trade_type, trade(amount="2.00"))
    with relation(trade_type, [trade(amount="1.00", counterparty__country="FR"), trade("T-2")]) as duck:
        assert store_given(trade_type, duck, run=2, day=OLDER) == Loaded(1, 0, 0, 1)
        assert duck.execute("SELECT key FROM older_key").fetchall() == [("T-1",)]
    assert [str(amount) for (amount,) in rows("SELECT amount FROM store.trade WHERE id = 'T-1'")] == ["2.00"]
    assert rows("SELECT country FROM store.counterparty_version") == [("DE",)]


def test_a_changed_attribute_is_a_version_of_the_reference_and_not_of_the_record(trade_type: RecordType) -> None:
    store(trade_type, trade(), run=1)
    assert store(trade_type, trade(counterparty__country="FR"), run=2) == Loaded(0, 0, 1, 0)
    assert rows("SELECT country, _run, _valid_to IS NULL FROM store.counterparty_version ORDER BY _version") == [
        ("DE", 1, False),
        ("FR", 2, True),
    ]
    assert rows("SELECT count(*) FROM store.trade") == [(1,)]


def test_an_attribute_that_nothing_maps_keeps_its_value(trade_type: RecordType) -> None:
    store(trade_type, trade())
    unmapped = frozenset({"id", "counterparty", "currency", "amount"})
    store(trade_type, trade(counterparty__country=None), run=2, mapped=unmapped)
    store(trade_type, trade("T-2", counterparty="NEW", counterparty__country=None), run=2, mapped=unmapped)
    assert rows(
        "SELECT name, country FROM store.counterparty_version v JOIN store.counterparty c ON c._id = _identity"
    ) == [
        ("ACME", "DE"),
        ("NEW", None),
    ]


def test_a_mapped_attribute_can_become_empty(trade_type: RecordType) -> None:
    store(trade_type, trade())
    store(trade_type, trade(counterparty__country=None), run=2)
    assert rows("SELECT country FROM store.counterparty_version WHERE _valid_to IS NULL") == [(None,)]


def test_two_references_to_one_type_share_its_identity_and_its_version() -> None:
    party = record_type("party", name={"is_key": True}, country={})
    deal = delivered(
        record_type(
            "deal",
            number={"is_key": True},
            buyer={"kind": "reference", "refers_to": party},
            seller={"kind": "reference", "refers_to": party},
        )
    )
    ensure_tables(deal)
    both = {"number": "1", "buyer": "ACME", "buyer.country": None, "seller": "ACME", "seller.country": "DE"}
    store(deal, both)
    assert rows("SELECT country, _version FROM store.party_version") == [("DE", 1)]
    with relation(deal, [both, {**both, "number": "2", "buyer.country": "FR"}]) as duck:
        assert reference_conflicts(duck, "given", deal.shape(), "held") == 3
        assert duck.execute("SELECT DISTINCT sentence FROM held WHERE key = '1'").fetchall() == [
            ("seller.country has two values for ACME: DE and FR.",)
        ]


def test_a_record_is_held_when_its_reference_has_two_values_elsewhere(trade_type: RecordType) -> None:
    given = [
        trade("T-1"),
        trade("T-2", counterparty__country="FR"),
        trade("T-3", counterparty="B"),
        trade("T-4", counterparty__country=None),
    ]
    with relation(trade_type, given) as duck:
        assert reference_conflicts(duck, "given", trade_type.shape(), "held") == 2
        assert duck.execute("SELECT key, condition FROM held ORDER BY key").fetchall() == [
            ("T-1", "reference:counterparty.country"),
            ("T-2", "reference:counterparty.country"),
        ]


def test_what_no_table_can_hold_is_named_and_refused(trade_type: RecordType) -> None:
    given = [trade("T-1"), trade("T-2", counterparty="é" * 1001)]
    with relation(trade_type, given) as duck:
        assert duck.execute(unstorable_sql("given", trade_type.shape())).fetchall() == [
            ("T-2", "storable:counterparty", "counterparty has 2002 bytes; a key may have 2000.")
        ]
    with pytest.raises(StoreRefusal, match="The record T-2 cannot be stored: counterparty has 2002 bytes"):
        store(trade_type, *given)
    assert rows("SELECT count(*) FROM store.counterparty") == [(0,)]


def test_an_empty_reference_refers_to_nothing(trade_type: RecordType) -> None:
    store(trade_type, trade(counterparty=None, counterparty__country=None))
    assert rows("SELECT counterparty FROM store.trade") == [(None,)]
    assert list(check_store(trade_type)) == []


def test_a_composite_reference_is_complete_or_empty() -> None:
    account = record_type("account", bank={"is_key": True}, number={"is_key": True, "kind": "integer"})
    booking = delivered(
        record_type("booking", id={"is_key": True}, account={"kind": "reference", "refers_to": account})
    )
    ensure_tables(booking)
    full = {"id": "1", "account.bank": "B|\\", "account.number": "7"}
    store(booking, full, {"id": "2", "account.bank": None, "account.number": None})
    assert rows("SELECT bank, number FROM store.account") == [("B|\\", 7)]
    assert rows("SELECT id, account IS NULL FROM store.booking ORDER BY id") == [("1", False), ("2", True)]
    assert list(check_store(booking)) == list(check_store(account)) == []
    with pytest.raises(StoreRefusal, match="account has a key with an empty part"):
        store(booking, {**full, "account.number": None})


def test_a_reference_can_be_part_of_the_key() -> None:
    book = record_type("book", name={"is_key": True})
    position = delivered(
        record_type(
            "position",
            book={"kind": "reference", "refers_to": book, "is_key": True},
            day={"kind": "date", "is_key": True},
            size={"kind": "integer"},
        )
    )
    ensure_tables(position)
    one = {"book": "FX|1", "day": "2026-11-20", "size": "5"}
    store(position, one, {**one, "day": "2026-11-21"})
    assert store(position, {**one, "size": "6"}, {**one, "day": "2026-11-21"}, run=2) == Loaded(0, 1, 1, 0)
    assert list(check_store(position)) == []


def test_a_referred_to_type_is_loaded_by_its_own_source_too(trade_type: RecordType) -> None:
    counterparty = delivered(RecordType.objects.get(code="counterparty"))
    store(trade_type, trade())
    assert store(counterparty, {"name": "ACME", "country": "FR"}, {"name": "B", "country": None}, run=2) == Loaded(
        1, 1, 0, 0
    )
    assert rows("SELECT count(*) FROM store.counterparty") == [(2,)]
    assert store(counterparty, {"name": "ACME", "country": "FR"}, run=3) == Loaded(0, 0, 1, 0)
    assert list(check_store(counterparty)) == []


EVERY_KIND = {
    "id": {"is_key": True}, "note": {}, "wide": {"kind": "decimal", "digits": 38, "places": 10},
    "fraction": {"kind": "decimal", "digits": 3, "places": 3}, "whole": {"kind": "integer"}, "day": {"kind": "date"},
    "moment": {"kind": "datetime"}, "flag": {"kind": "boolean"},
}  # fmt: skip
STRANGE_TEXTS = [
    "", " lead", "NULL", "\\N", "\\.", '"', '""', "a,b", "a\nb", "a\r\nb", "\t", "\x1e", "\x1f", "x\x1fnote=y", "'; DROP --",
    "日本😀é", "%s", "{0}",
]  # fmt: skip
FARTHEST = {
    "wide": "-9999999999999999999999999999.9999999999", "fraction": "-.500", "whole": "-9223372036854775808",
    "day": "9999-12-31", "moment": "0001-01-01T00:00:00Z", "flag": "false",
}  # fmt: skip
AS_STORED = FARTHEST | {"fraction": "-0.500", "moment": "0001-01-01 00:00:00"}


def test_every_value_comes_back_as_it_was_given() -> None:
    every = delivered(record_type("every", **EVERY_KIND))
    ensure_tables(every)
    empty = dict.fromkeys(EVERY_KIND)
    noted = [empty | {"id": f"K{n}", "note": text} for n, text in enumerate(STRANGE_TEXTS)]
    given = [*noted, empty | {"id": "all"} | FARTHEST]
    assert store(every, *given).new == len(given)
    by_key = sorted(noted, key=lambda record: str(record["id"]))
    assert rows("SELECT note FROM store.every WHERE id <> 'all' ORDER BY _id") == [(it["note"],) for it in by_key]
    texts = ", ".join(f"{name}::text" for name in AS_STORED)
    assert rows(f"SELECT {texts} FROM store.every WHERE id = 'all'") == [tuple(AS_STORED.values())]
    assert store(every, *given, run=2) == Loaded(0, 0, len(given), 0)
    assert list(check_store(every)) == []


@pytest.mark.parametrize("word", ["id", "check", "order", "user", "key", "bucket", "hash", "n", "table", "select"])
def test_no_word_is_reserved(word: str) -> None:
    target = record_type("group", **{word: {"is_key": True}, "limit": {}})
    made = delivered(
        record_type(word, **{word: {"is_key": True}, "from": {}, "to": {"kind": "reference", "refers_to": target}})
    )
    ensure_tables(made)
    name = f"to.{word}" if "." in word else "to"
    assert store(made, {word: "1", "from": "x", name: "g", "to.limit": "l"}).new == 1
    assert store(made, {word: "1", "from": "y", name: "g", "to.limit": "m"}, run=2).changed == 1
    assert list(check_store(made)) == list(check_store(target)) == []


def test_rows_stand_in_the_order_of_their_keys_after_a_bulk_load(trade_type: RecordType) -> None:
    _bulk(trade_type, 60_000)
    assert rows(
        "SELECT count(*) FROM (SELECT id < lag(id) OVER (ORDER BY ctid) AS falls FROM store.trade) t WHERE falls"
    ) == [(0,)]


@pytest.mark.parametrize("records", [1, 60_000])
def test_constraints_stand_after_the_first_load(trade_type: RecordType, records: int) -> None:
    wanted = _constraints()
    _bulk(trade_type, records)
    assert _constraints() == wanted
    assert {name for name, _ in wanted} >= {
        "_current_trade",
        "_closed_trade",
        "_fk_counterparty",
        "_fk_currency",
        "_pk_trade",
    }
    assert (
        rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'trade' AND column_default IS NOT NULL"
        )
        == []
    )


def test_a_second_bulk_load_adds_and_changes(trade_type: RecordType) -> None:
    _bulk(trade_type, 60_000)
    assert _bulk(trade_type, 120_000, amount="i % 2", run=2) == Loaded(60_000, 30_000, 30_000, 0)
    assert list(check_store(trade_type)) == []
    assert rows("SELECT count(*), count(DISTINCT id) FROM store.trade WHERE _valid_to IS NULL") == [(120_000, 120_000)]


def _bulk(made: RecordType, count: int, *, amount: str = "0", run: int = 1) -> Loaded:
    with relation(made, [trade()]) as duck:
        leaf = {leaf.name: leaf.column for leaf in made.shape().leaves}
        duck.execute(
            f"CREATE OR REPLACE TEMP TABLE given AS SELECT * REPLACE ('T' || i AS key, i % 64 AS bucket, 'T' || i AS {leaf['id']}, "
            f"CAST({amount} AS DECIMAL(18,2)) AS {leaf['amount']}, md5(concat(i, {amount})) AS hash) FROM given, range({count}) r(i)"
        )
        _hash_again(made, duck)
        duck.execute("ALTER TABLE given DROP i")
        return store_given(made, duck, run=run)


def _hash_again(made: RecordType, duck: duckdb.DuckDBPyConnection) -> None:
    own = own_leaves(made.shape())
    duck.execute(f"UPDATE given SET hash = {record_hash_sql(own, [leaf.column for leaf in own])}")


def _constraints() -> set[tuple[str, str]]:
    found = rows(
        "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'store'::regnamespace "
        "UNION SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'store'"
    )
    return set(found)


def _identities(code: str) -> str:
    return identities_of(store_table(RecordType.objects.get(code=code)))


def test_a_row_is_not_stored_without_the_identity_that_it_names(trade_type: RecordType) -> None:
    with relation(trade_type, [trade()]) as duck:
        upsert_identities(duck, "given", trade_type.shape(), trade_type)
        duck.execute(f"DELETE FROM {_identities('counterparty')}")
        with pytest.raises(Exception, match="_identity"), transaction.atomic():
            load_rows(
                duck,
                "given",
                shape=trade_type.shape(),
                record_type=trade_type,
                run_id=1,
                business_date=DAY,
                mapped=frozenset(),
            )
    assert rows("SELECT count(*) FROM store.trade") == [(0,)]


@pytest.mark.django_db(transaction=True)
def test_two_processes_upserting_the_same_identities_both_get_all_ids() -> None:
    made = trades()
    ensure_tables(made)
    names = [f"party {n}" for n in range(2000)]
    connections.close_all()
    try:
        with ProcessPoolExecutor(2) as pool:
            first, second = pool.map(_upsert_all, [names, names[::-1]])
        assert first == second
        assert len(first) == 2000
        assert rows("SELECT count(*) FROM store.counterparty") == [(2000,)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA store CASCADE")


def _upsert_all(names: list[str]) -> dict[str, int]:
    made = RecordType.objects.get(code="trade")
    with relation(made, [trade(f"T-{name}", counterparty=name) for name in names]) as duck:
        upsert_identities(duck, "given", made.shape(), made)
        found = duck.execute(f"SELECT COLUMNS(* EXCLUDE (id)), id FROM {_identities('counterparty')}").fetchall()
    connections.close_all()
    return dict(found)
