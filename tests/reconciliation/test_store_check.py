"""Whatever one row of the store is changed, added or deleted by hand is named by table, id and key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction

from ingestion.models import RecordType
from reconciliation.engine.record_hash import record_hash
from reconciliation.store.check import check_store, export_hashes
from reconciliation.store.ddl import ensure_tables
from tests.reconciliation.store_records import execute, relation, rows, store, trade, trades
from tests.standing import lake_folder  # noqa: F401

pytestmark = pytest.mark.django_db


def fill(_: Path) -> RecordType:
    """Three versions of T-1, one of T-2, two of the counterparty ACME."""
    made = trades()
    ensure_tables(made)
    for run, amount in enumerate(("1.00", "2.00", "1.00"), start=1):
        store(
            made, trade("T-1", amount=amount), trade("T-2", counterparty__country="FR" if run == 3 else "DE"), run=run
        )
        store(made, trade("T-1", amount=amount, counterparty__country="FR" if run == 3 else "DE"), run=run)
    assert problems() == []
    return made


@pytest.fixture(scope="module")
def filled(once: Callable[[Callable[[Path], RecordType]], RecordType]) -> RecordType:
    """What `fill` makes, once."""
    return once(fill)


@pytest.fixture
def made(filled: RecordType, db: None) -> RecordType:
    """The same, read anew."""
    return RecordType.objects.get(pk=filled.pk)


def problems() -> list[str]:
    return [it for record_type in RecordType.objects.order_by("code") for it in check_store(record_type)]


CHANGES = [
    "amount = 1.01",
    "id = 'T-9'",
    "counterparty = NULL",
    "currency = NULL",
    "_version = 7",
    "_bucket = _bucket + 1",
    "_run = 9",
    "_decision = 9",
    "_date = '2020-01-01'",
    "_valid_from = _valid_from - interval '1 second'",
    "_hash = md5('x')",
    "_seal = 1",
]


@pytest.mark.parametrize("row", [("T-1", 1), ("T-1", 3), ("T-2", 1)])
def test_a_row_with_one_column_changed_is_named(made: RecordType, row: tuple[str, int]) -> None:
    ((pk,),) = rows("SELECT _id FROM store.trade WHERE id = %s AND _version = %s", *row)
    passed = []
    for change in CHANGES:
        with transaction.atomic():
            execute(f"UPDATE store.trade SET {change} WHERE _id = {pk}")
            if not any(f"store.trade row {pk} (" in problem for problem in problems()):
                passed.append(change)
            transaction.set_rollback(True)
    assert passed == []


def test_an_end_that_is_not_the_next_beginning_is_named(made: RecordType) -> None:
    execute("UPDATE store.trade SET _valid_to = _valid_to + interval '1 microsecond' WHERE id = 'T-1' AND _version = 2")
    ((pk,),) = rows("SELECT _id FROM store.trade WHERE id = 'T-1' AND _version = 2")
    assert problems() == [f"store.trade row {pk} (T-1) does not end when version 3 begins."]


def test_a_current_row_that_was_ended_is_named(made: RecordType) -> None:
    execute("UPDATE store.trade SET _valid_to = _valid_from + interval '1 day' WHERE id = 'T-2'")
    ((pk,),) = rows("SELECT _id FROM store.trade WHERE id = 'T-2'")
    assert problems() == [f"store.trade lacks version 2 of T-2, after row {pk}."]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_deleted_version_is_named_by_its_key(made: RecordType, version: int) -> None:
    execute("DELETE FROM store.trade WHERE id = 'T-1' AND _version = %s", version)
    (problem,) = problems()
    assert f"store.trade lacks version {version} of T-1" in problem


def test_a_changed_identity_is_named_alone(made: RecordType) -> None:
    execute("UPDATE store.counterparty SET name = 'ACNE'")
    ((pk,),) = rows("SELECT _id FROM store.counterparty")
    assert problems() == [f"store.counterparty row {pk} (ACNE) is not as it was written: its key was changed."]


@pytest.mark.parametrize("change", ["country = 'XX'", "_run = 9", "_date = '2020-01-01'"])
def test_a_changed_version_of_a_reference_is_named(made: RecordType, change: str) -> None:
    execute(f"UPDATE store.counterparty_version SET {change} WHERE _version = 1")
    assert [problem.split(" is ")[0].split(" row ")[0] for problem in problems()] == ["store.counterparty_version"]


def test_a_deleted_version_of_a_reference_is_named(made: RecordType) -> None:
    execute("DELETE FROM store.counterparty_version WHERE _version = 1")
    (problem,) = problems()
    assert "store.counterparty_version lacks version 1 of ACME" in problem


def test_a_reference_without_any_version_left_is_named(made: RecordType) -> None:
    execute("DELETE FROM store.counterparty_version")
    assert problems() == ["store.counterparty_version lacks every version of ACME, to which store.trade refers."]


def test_a_row_put_in_by_hand_is_named(made: RecordType) -> None:
    execute(
        "INSERT INTO store.trade (id, _version, _bucket, _run, _date, _valid_from, _hash, _seal) "
        "VALUES ('T-8', 1, 0, 1, now(), now(), 'x', 1)"
    )
    (problem,) = problems()
    assert "(T-8) is not as it was written" in problem


def test_many_faults_of_a_kind_are_counted(made: RecordType) -> None:
    store(made, *(trade(f"X-{n}") for n in range(40)), run=4)
    execute("UPDATE store.trade SET amount = 5 WHERE starts_with(id, 'X-')")
    told = problems()
    assert len(told) == 21
    assert told[-1] == "20 more of this kind in the same table."


def test_stored_hashes_are_the_hash_of_the_record_in_every_language(made: RecordType) -> None:
    with relation(made, [trade()]) as duck:
        assert export_hashes(made, duck, "stored") == 4
        stored = duck.execute("SELECT key, _run, _hash, current FROM stored ORDER BY key, _id").fetchall()
    shape = made.shape()
    assert stored == [
        ("T-1", 1, record_hash(shape, trade(amount="1.00")), False),
        ("T-1", 2, record_hash(shape, trade(amount="2.00")), False),
        ("T-1", 3, record_hash(shape, trade(amount="1.00")), True),
        ("T-2", 1, record_hash(shape, trade("T-2")), True),
    ]
