"""The audit log: written once, in a chain; whoever switches the triggers off and changes it is found out."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from ingestion.audit_chain import anchor_file, anchors, broken_chain, chain_now, check_chain, drop_anchor, newest_event
from ingestion.audit_log import record_event
from ingestion.models import AuditCheck, AuditEvent
from ingestion.origin import coming_from, network_of

TABLE = "ingestion_auditevent"


def run_sql(text: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def record(count: int) -> None:
    """Some events, chained."""
    for number in range(count):
        record_event("run.started", of="run", by="ann", name=f"run {number} – é", after={"number": number, "a": None})
    chain_now()


@pytest.fixture
def log(db: None) -> Iterator[None]:
    """Five events, with every trigger of the table switched off afterwards, as its owner could."""
    record(5)
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    run_sql(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
    yield
    run_sql("SET CONSTRAINTS ALL DEFERRED")


def test_an_event_says_who_did_what_to_which_thing_from_where(db: None, person: Callable[..., User]) -> None:
    ann = person("Analyst", "ann")
    with coming_from("page", "203.0.113.77"):
        record_event("person.changed", of=ann, by=ann, before={"active": True}, after={"active": False}, run=3)
    chain_now()
    event = AuditEvent.objects.get()
    assert (event.sequence, event.actor, event.actor_name, event.kind, event.object_id) == (
        1,
        ann,
        "ann",
        "user",
        str(ann.pk),
    )
    assert (event.before, event.after, event.run) == ({"active": True}, {"active": False}, 3)
    assert (event.door, event.address, len(event.request), len(event.hash or "")) == ("page", "203.0.113.0/24", 12, 64)
    assert list(broken_chain()) == []


def test_an_unknown_action_is_a_mistake_of_ours(db: None) -> None:
    with pytest.raises(ValueError, match="no action 'run.stopped'"):
        record_event("run.stopped", of="run", by="ann")


def test_addresses_are_kept_as_networks() -> None:
    found = map(network_of, ("203.0.113.77", "2001:db8:1:2::3", "::ffff:203.0.113.9", "not one", ""))
    assert list(found) == ["203.0.113.0/24", "2001:db8:1::/48", "203.0.113.0/24", "", ""]


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {TABLE} SET actor_name = 'bob' WHERE sequence = 2",
        f"UPDATE {TABLE} SET hash = NULL, sequence = NULL WHERE sequence = 2",
        f"DELETE FROM {TABLE} WHERE sequence = 2",
        f"TRUNCATE {TABLE}",
    ],
)
def test_nobody_changes_an_event(db: None, statement: str) -> None:
    record(3)
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        run_sql(statement)
    assert AuditEvent.objects.count() == 3 and list(broken_chain()) == []


def test_an_event_that_claims_a_place_is_given_its_own(db: None) -> None:
    record(2)
    AuditEvent.objects.create(
        sequence=9,
        hash="f" * 64,
        at=dt.datetime.now(dt.UTC),
        actor_name="x",
        action="x",
        kind="x",
        object_id="",
        name="",
    )
    assert list(broken_chain()) == [] and newest_event()[0] == 3


COPY = "at, actor_name, action, kind, object_id, name, door, request, address"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (f"UPDATE {TABLE} SET actor_name = 'bob' WHERE sequence = 3", "Audit event 3 (row"),
        (f"UPDATE {TABLE} SET after = '{{\"number\": 9}}' WHERE sequence = 2", "Audit event 2 (row"),
        (f"UPDATE {TABLE} SET at = at + interval '1 microsecond' WHERE sequence = 4", "Audit event 4 (row"),
        (f"DELETE FROM {TABLE} WHERE sequence = 3", "Audit event 3 was deleted by hand."),
        (f"DELETE FROM {TABLE} WHERE sequence <= 2", "Audit events 1 to 2 were deleted by hand."),
        (
            f"UPDATE {TABLE} SET sequence = CASE sequence WHEN 2 THEN 102 ELSE 103 END WHERE sequence IN (2, 3);"
            f"UPDATE {TABLE} SET sequence = CASE sequence WHEN 102 THEN 3 ELSE 2 END WHERE sequence > 100",
            "Audit event 2 (row",
        ),  # reordered
        (
            f"UPDATE {TABLE} SET sequence = sequence + 100 WHERE sequence > 2;"
            f"UPDATE {TABLE} SET sequence = sequence - 99 WHERE sequence > 100;"
            f"INSERT INTO {TABLE} (sequence, hash, {COPY}) SELECT 3, hash, {COPY} FROM {TABLE} WHERE sequence = 2",
            "Audit event 3 (row",
        ),  # inserted
        (
            f"INSERT INTO {TABLE} (sequence, hash, {COPY}) SELECT 6, repeat('0', 64), {COPY} FROM {TABLE} WHERE sequence = 5",
            "Audit event 6 (row",
        ),
        (f"INSERT INTO {TABLE} ({COPY}) SELECT {COPY} FROM {TABLE} WHERE sequence = 5", "is not in the chain"),
    ],
)  # fmt: skip
def test_the_first_broken_event_is_named(log: None, statement: str, sentence: str) -> None:
    run_sql(statement)
    assert sentence in next(broken_chain())


def test_a_cut_tail_shows_by_the_anchor(log: None) -> None:
    drop_anchor(check_chain())
    assert list(broken_chain()) == []
    run_sql(f"DELETE FROM {TABLE} WHERE sequence > 3")
    assert "ends at event 3" in (said := next(broken_chain())) and "Events 4 to 5 were cut off." in said


def test_a_chain_that_was_written_anew_shows_by_the_anchor(log: None) -> None:
    drop_anchor(check_chain())
    run_sql("SET CONSTRAINTS ALL DEFERRED")
    run_sql(f"DELETE FROM {TABLE} WHERE sequence > 2")
    run_sql(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
    record(3)
    (said,) = broken_chain()
    assert "Audit event 5 has another hash than the anchor" in said


def test_a_forged_anchor_shows(log: None) -> None:
    anchor = drop_anchor(check_chain())
    anchor_file().write_text(f"{anchor.at} 3 {'a' * 64} {anchor.signature}\n", encoding="ascii")
    assert "was not written by this installation" in next(broken_chain())
    anchor_file().write_text("\xff no anchor\n", encoding="latin-1")
    assert "was not written by this installation" in next(broken_chain())


def test_anchors_stand_one_a_line(db: None) -> None:
    drop_anchor(check_chain())
    record(2)
    drop_anchor(check_chain())
    assert [it.sequence for it in anchors()] == [0, 2] and list(broken_chain()) == []


def test_the_hourly_look_anchors_what_is_whole_and_alerts_of_what_is_not(log: None) -> None:
    from config.tasks import watch_audit
    from ingestion.models import Alert

    watch_audit()
    assert [it.sequence for it in anchors()] == [5] and AuditCheck.objects.get().problem == ""
    run_sql(f"DELETE FROM {TABLE} WHERE sequence = 4")
    watch_audit()
    watch_audit()
    assert len(list(anchors())) == 1
    assert AuditCheck.objects.latest("id").problem == "Audit event 4 was deleted by hand."
    assert Alert.objects.get().event == "audit.broken"


@pytest.mark.django_db(transaction=True)
def test_writers_beside_each_other_make_one_chain() -> None:
    def write(number: int) -> None:
        try:
            for turn in range(10):
                with transaction.atomic():
                    record_event("run.started", of="run", by=f"writer {number}", name=str(turn))
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert newest_event()[0] == AuditEvent.objects.count() == 40
    assert list(broken_chain()) == []


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_transaction_that_has_recorded_and_goes_on() -> None:
    """A run, say, that takes a minute after it wrote its event."""
    recorded, go_on = threading.Event(), threading.Event()

    def write_and_wait() -> None:
        try:
            with transaction.atomic():
                record_event("run.started", of="run", by="slow")
                recorded.set()
                go_on.wait(60)
        finally:
            connection.close()

    slow = threading.Thread(target=write_and_wait)
    slow.start()
    assert recorded.wait(60)
    with transaction.atomic():
        run_sql("SET LOCAL lock_timeout = '5s'")
        record_event("run.started", of="run", by="quick")
    assert list(AuditEvent.objects.values_list("sequence", "actor_name")) == [(1, "quick")]
    go_on.set()
    slow.join(60)
    assert list(AuditEvent.objects.order_by("sequence").values_list("actor_name", flat=True)) == ["quick", "slow"]
    assert list(broken_chain()) == []
