"""What the store promises of its tables: made once, widened, split, never taken over."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion.models import Field, RecordType
from reconciliation.store.check import check_store
from reconciliation.store.current import stored_versions
from reconciliation.store.ddl import ensure_tables
from reconciliation.store.load import Loaded
from reconciliation.store.tables import StoreRefusal
from tests.reconciliation.store_records import delivered, execute, record_type, rows, store, trade, trades

pytestmark = pytest.mark.django_db


def _columns(table: str) -> dict[str, str]:
    return dict(
        rows(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            f'store."{table}"',
        )
    )


def test_each_kind_has_the_type_that_holds_it_exactly() -> None:
    ensure_tables(
        delivered(
            record_type(
                "every",
                code={"is_key": True},
                whole={"kind": "integer"},
                wide={"kind": "decimal", "digits": 38, "places": 10},
                day={"kind": "date"},
                moment={"kind": "datetime"},
                flag={"kind": "boolean"},
            )
        )
    )
    kept = {name: kind for name, kind in _columns("every").items() if not name.startswith("_")}
    assert kept == {
        "code": "text",
        "whole": "bigint",
        "wide": "numeric(38,10)",
        "day": "date",
        "moment": "timestamp without time zone",
        "flag": "boolean",
    }


def test_a_second_time_nothing_is_done() -> None:
    made = trades()
    ensure_tables(made)
    with CaptureQueriesContext(connection) as queries:
        ensure_tables(made)
    assert [q["sql"] for q in queries if not q["sql"].startswith("SELECT")] == []


def test_a_new_field_is_a_column_and_changes_no_stored_row() -> None:
    made = trades()
    ensure_tables(made)
    store(made, trade())
    desk = record_type("desk", name={"is_key": True}, city={})
    Field.objects.create(record_type=made, position=8, code="note", kind="text", since=2)
    Field.objects.create(record_type=made, position=9, code="desk", kind="reference", refers_to=desk, since=2)
    ensure_tables(made)
    more = {"note": None, "desk": None, "desk.city": None}
    assert store(made, trade() | more, run=2) == Loaded(0, 0, 1, 0)
    assert list(check_store(made)) == []
    assert store(made, trade() | more | {"desk": "FX", "desk.city": "Bonn"}, run=3) == Loaded(0, 1, 0, 0)
    assert [version["desk"] for version in stored_versions(made, "T-1")] == [None, "FX"]
    assert list(check_store(made)) == list(check_store(desk)) == []


def test_a_type_that_gets_its_first_attribute_gets_its_versions() -> None:
    made = trades()
    ensure_tables(made)
    store(made, trade())
    currency = RecordType.objects.get(code="currency")
    Field.objects.create(record_type=currency, position=8, code="places", kind="integer", since=2)
    ensure_tables(made)
    assert list(check_store(made)) == []
    store(made, trade() | {"currency.places": "2"}, run=2)
    assert rows("SELECT places, _run FROM store.currency_version") == [(2, 2)]
    assert list(check_store(made)) == []


def test_a_new_generation_is_a_table_beside_the_old_one() -> None:
    made = delivered(record_type("flow", id={"is_key": True}))
    ensure_tables(made)
    made.generation = 2
    made.save()
    Field.objects.create(record_type=made, position=1, code="id", kind="integer", is_key=True, generation=2, since=2)
    ensure_tables(made)
    assert (_columns("flow")["id"], _columns("flow_2")["id"]) == ("text", "bigint")


def test_a_reference_to_an_old_shape_is_refused() -> None:
    made = trades()
    ensure_tables(made)
    currency = RecordType.objects.get(code="currency")
    currency.generation = 2
    currency.save()
    Field.objects.create(record_type=currency, position=1, code="iso", is_key=True, kind="text", generation=2, since=2)
    with pytest.raises(StoreRefusal, match="Start a new generation of 'trade', too"):
        ensure_tables(made)


def test_a_table_becomes_identities_and_versions_when_others_refer_to_it() -> None:
    account = delivered(record_type("account", number={"is_key": True, "kind": "integer"}, owner={}))
    ensure_tables(account)
    store(account, {"number": "1", "owner": "Ann"}, {"number": "2", "owner": "Bob"}, run=1)
    store(account, {"number": "1", "owner": "Cy"}, run=2)
    booking = delivered(
        record_type("booking", id={"is_key": True}, account={"kind": "reference", "refers_to": account})
    )
    ensure_tables(booking)
    assert rows("SELECT number FROM store.account ORDER BY number") == [(1,), (2,)]
    assert [version["owner"] for version in stored_versions(account, "1")] == ["Ann", "Cy"]
    assert store(account, {"number": "2", "owner": "Bob"}, {"number": "3", "owner": "Di"}, run=3) == Loaded(1, 0, 1, 0)
    store(booking, {"id": "B", "account": "1", "account.owner": "Cy"}, run=4)
    assert list(check_store(account)) == list(check_store(booking)) == []


def test_a_table_of_another_record_type_is_never_taken() -> None:
    record_type("trade_version", id={"is_key": True})
    ensure_tables(RecordType.objects.get(code="trade_version"))
    made = trades()
    link = delivered(record_type("link", id={"is_key": True}, other={"kind": "reference", "refers_to": made}))
    with pytest.raises(StoreRefusal, match="'trade' is referred to and refers to others by 'counterparty'"):
        ensure_tables(link)
    plain = record_type("plain", id={"is_key": True}, name={})
    record_type("user_of_plain", id={"is_key": True}, plain={"kind": "reference", "refers_to": plain})
    ensure_tables(record_type("plain_version", id={"is_key": True}))
    with pytest.raises(StoreRefusal, match=r"store\.plain_version belongs to another record type"):
        ensure_tables(plain)


def test_the_longest_codes_have_tables_of_their_own() -> None:
    long = "x" * 40
    target = record_type(long + "a", name={"is_key": True}, more={})
    fields = {f"{'y' * 40}{end}": {"kind": "reference", "refers_to": target} for end in "ab"}
    made = record_type(long + "b", id={"is_key": True}, **fields)
    ensure_tables(made)
    values = {"id": "1"}
    for field in fields:
        values |= {field: field, f"{field}.more": "m"}
    assert store(made, values).new == 1
    assert list(check_store(made)) == list(check_store(target)) == []


def test_a_lost_table_index_or_constraint_is_named() -> None:
    made = trades()
    ensure_tables(made)
    execute("DROP INDEX store._current_trade")
    execute("ALTER TABLE store.trade DROP CONSTRAINT _fk_currency")
    assert list(check_store(made)) == [
        "The table store.trade has lost its _current_trade. Restore it from a backup.",
        "The table store.trade has lost its _fk_currency. Restore it from a backup.",
    ]
    execute("DROP TABLE store.trade")
    assert list(check_store(made)) == ["The table store.trade is gone. Restore it from a backup."]
