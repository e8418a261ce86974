"""Runs hold a record's place in the store before they touch its break. Whoever decides does too: a run that comes from the other
side never finds the break locked by someone who waits for the run."""

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from rest_framework.response import Response
from rest_framework.test import APIClient

from ingestion.sql_text import literal
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.session import session
from reconciliation.store.ddl import ensure_tables
from reconciliation.store.load import lock_places
from reconciliation.store.records import records_relation, store_relation
from review.decisions import StoreBusy, confirm, decide
from review.models import Decision
from review.undoing import undo
from tests.conftest import problems, row
from tests.faults.conftest import meanwhile, until
from tests.reconciliation.store_records import execute, rows
from tests.reconciliation.test_store_single import DEAL, Given, deals, loaded, stored
from tests.review.test_decisions import under_four_eyes

Act = Callable[[], object]


@pytest.fixture
def sign(committed: None, reconcile: Callable[..., Run]) -> Break:
    """A break in review: the sign is turned."""
    reconcile([row("A", "10.00")], [row("A", "-10.00")])
    return Break.objects.get(key="A")


def deciding(brk: Break, person: Callable[..., User]) -> Act:
    """Approve."""
    by = person("Supervisor")
    return lambda: decide(brk=brk, action="approve", by=by)


def confirming(brk: Break, person: Callable[..., User]) -> Act:
    """Confirm another person's proposal."""
    under_four_eyes(brk.reconciliation)
    proposal, by = decide(brk=brk, action="approve", by=person("Analyst")), person("Supervisor")
    return lambda: confirm(decision=proposal, by=by)


def undoing(brk: Break, person: Callable[..., User]) -> Act:
    """Undo a decision."""
    by = person("Supervisor")
    decision = decide(brk=brk, action="approve", by=by)
    return lambda: undo(decision=decision, by=by)


@pytest.mark.parametrize("way", [deciding, confirming, undoing])
def test_who_waits_for_a_place_holds_no_break(
    way: Callable[..., Act], sign: Break, person: Callable[..., User], trades: Reconciliation
) -> None:
    act = way(sign, person)

    def run_takes_the_break_up() -> None:
        Break.objects.select_for_update(nowait=True).get(pk=sign.pk)

    done = meanwhile(lambda: lock_places(trades.record_type, (sign.bucket, sign.bucket)), act, run_takes_the_break_up)
    done.result()
    assert problems() == []


@pytest.mark.parametrize("way", [deciding, confirming, undoing])
def test_nobody_waits_for_a_long_run(
    way: Callable[..., Act],
    sign: Break,
    person: Callable[..., User],
    trades: Reconciliation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    act = way(sign, person)
    stood = Decision.objects.values().get() if Decision.objects.exists() else None
    monkeypatch.setattr("review.decisions.locks.PATIENCE", 1)

    done = meanwhile(lambda: lock_places(trades.record_type, (sign.bucket, sign.bucket)), act, lambda: time.sleep(2))

    with pytest.raises(StoreBusy, match=r"^A run is storing records of \w+ just now, .* Nothing was changed;"):
        done.result()
    assert stood == (Decision.objects.values().get() if Decision.objects.exists() else None)
    act()
    assert problems() == []


def test_a_program_may_ask_again_with_the_same_key(
    sign: Break, trades: Reconciliation, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.decisions.locks.PATIENCE", 1)
    client = APIClient(headers={"Idempotency-Key": "one"})
    client.force_authenticate(person("Supervisor"))

    def ask() -> Response:
        return client.post(f"/api/v1/breaks/{sign.pk}/decisions", {"action": "approve"}, format="json")

    done = meanwhile(lambda: lock_places(trades.record_type, (sign.bucket, sign.bucket)), ask, lambda: time.sleep(2))

    assert (done.result().status_code, done.result()["Retry-After"]) == (409, "30")
    assert ask().status_code == 201


def test_who_waits_for_a_place_holds_no_identity(sign: Break, trades: Reconciliation) -> None:
    """A record that names a party for the first time, stored while another one does the same from within its place."""
    record, run = sign.members.filter(side="a").get().record | {"party.name": "NEWCOMER"}, sign.last_run

    def store() -> None:
        shape = trades.record_type.shape()
        with transaction.atomic(), session("lock-order") as (duck, _):
            records_relation(duck, shape, [(sign.key, sign.bucket, record)], "approved")
            store_relation(
                duck, "approved", shape=shape, record_type=trades.record_type, run_id=run.pk,
                business_date=run.business_date, mapped=frozenset(record), bucket_range=(sign.bucket, sign.bucket),
            )  # fmt: skip

    def name_the_same() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(
                f"INSERT INTO store.party (name, _hash) SELECT {literal('NEWCOMER')}, _hash FROM store.party LIMIT 1"
            )

    meanwhile(lambda: lock_places(trades.record_type, (sign.bucket, sign.bucket)), store, name_the_same).result()


@pytest.mark.parametrize("store", [stored, loaded])
def test_who_makes_identities_makes_them_in_one_order(store: Callable[..., str], committed: None) -> None:
    """Two records name two parties for the first time, each the other way round: whichever field names them, the first one by
    name is made first."""
    made, record = deals(), Given(DEAL | {"buyer": "ZOE", "seller": "ANNA"})
    ensure_tables(made)

    def name(party: str) -> Act:
        return lambda: execute("INSERT INTO store.party (name, _hash) VALUES (%s, %s)", party, "of another")

    def name_both() -> str:
        with transaction.atomic():
            return store(made, record, 1)

    def name_the_other() -> None:
        until(somebody_waits, "nobody waits for ANNA")
        name("ZOE")()

    assert meanwhile(name("ANNA"), name_both, name_the_other).result() == "new"


def somebody_waits() -> bool:
    """Whether a session of this database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(rows(waiting)[0][0])
