"""Breaks across days: carried, late, corrected, kept, reopened."""

import datetime as dt
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import connection

from attribution.models import Attribution
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.store.current import stored_versions
from review.decisions import decide
from tests.conftest import row
from tests.standing import standing_trades  # noqa: F401
from tests.test_straight_path import problems

NEXT = dt.date(2026, 11, 23)


def test_a_break_that_the_next_day_does_not_mention_stays_open(reconcile: Callable[..., Run]) -> None:
    reconcile([row("A"), row("B", "10.50")], [row("B", "99.99")])
    run = reconcile([row("Z")], [row("Z")], NEXT)
    assert {b.key: b.state for b in Break.objects.all()} == {"A": "review", "B": "review"}
    assert run.report is not None
    assert run.report["carried"]["a"] == {"offered": 1, "closed": 0}
    assert problems() == []


def test_a_late_partner_closes_the_break_as_matched_late(reconcile: Callable[..., Run], trades: Reconciliation) -> None:
    reconcile([row("A")], [row("Z")])
    run = reconcile(None, [row("A")], NEXT)
    brk = Break.objects.get(key="A")
    assert (brk.state, brk.closed_because) == ("closed", "matched late")
    said = Attribution.objects.get(difference__brk=brk, current=True)
    assert (said.reason_id, said.proof) == ("TIMING_LAG", "The partner came 3 days later and agrees.")
    assert brk.members.with_fate().get().fate == "stored"
    assert len(stored_versions(trades.record_type, "A")) == 1
    assert run.report is not None
    assert run.report["carried"]["a"] == {"offered": 1, "closed": 1}
    assert problems() == []


def test_a_corrected_side_closes_a_differing_break(reconcile: Callable[..., Run]) -> None:
    reconcile([row("A", "10.00")], [row("A", "55.00")])
    reconcile(None, [row("A", "10.00")], NEXT)
    brk = Break.objects.get(key="A")
    assert (brk.state, brk.closed_because) == ("closed", "matched")
    assert {m.side: m.fate for m in brk.members.with_fate()} == {"a": "stored", "b": "superseded"}
    assert problems() == []


def places() -> list[tuple[object, ...]]:
    """Where the rows of breaks lie in their table: a row that is written again lies elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM reconciliation_member ORDER BY id")
        return cursor.fetchall()


def test_rows_that_stand_as_before_are_not_written_again(reconcile: Callable[..., Run]) -> None:
    reconcile([row("A"), row("B", "10.50"), row("B", "10.50")], [row("A"), row("B", "99.99")])
    before = places()
    reconcile()
    assert before and places() == before
    assert problems() == []


def test_running_again_changes_nothing_else(reconcile: Callable[..., Run]) -> None:
    rows = ([row("A"), row("B", "10.50"), row("C")], [row("A"), row("B", "99.99")])
    first = reconcile(*rows)
    before = list(Break.objects.order_by("key").values_list("key", "state", "fingerprint"))
    again = reconcile()
    assert again.pk != first.pk
    assert again.report is not None and first.report is not None
    assert again.report["records"] == first.report["records"]
    assert list(Break.objects.order_by("key").values_list("key", "state", "fingerprint")) == before
    assert problems() == []


def test_the_same_values_keep_a_decision_and_others_reopen(
    reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    reconcile([row("A", "10.00")], [row("A", "55.00")])
    decide(brk=Break.objects.get(key="A"), action="reject", by=person("Analyst"))
    reconcile([row("A", "10.00")], [row("A", "55.00")], NEXT)
    assert Break.objects.get(key="A").state == "rejected"
    reconcile([row("A", "10.00")], [row("A", "66.00")], dt.date(2026, 11, 24))
    assert Break.objects.get(key="A").state == "review"
    assert problems() == []


def test_other_values_of_a_record_that_passed_wait_while_the_store_keeps_it(
    reconcile: Callable[..., Run], trades: Reconciliation
) -> None:
    reconcile([row("A", "10.25")], [row("A", "10.00")])
    reconcile([row("A", "10.00")], [row("A", "-10.00")], NEXT)
    assert Break.objects.get(key="A").state == "review"
    assert [str(it["amount"]) for it in stored_versions(trades.record_type, "A")] == ["10.25"]
    assert problems() == []


def test_a_stored_key_that_comes_again_from_one_side_is_confirmed_or_a_break(reconcile: Callable[..., Run]) -> None:
    reconcile([row("A"), row("B")], [row("A"), row("B")])
    run = reconcile([row("A"), row("B", "11.00")], None, NEXT)
    assert run.report is not None
    assert run.report["records"]["confirmed"] == 1
    assert [(b.key, b.kind) for b in Break.objects.all()] == [("B", "missing_in_b")]
    assert problems() == []


def test_a_newer_delivery_of_the_date_supersedes_the_older_keys(
    reconcile: Callable[..., Run], deliver: Callable[..., object]
) -> None:
    from tests.conftest import HEADER

    deliver("left", f"{HEADER}\n{row('A', '1.00')}\n{row('B')}\n")
    run = reconcile([row("A", "2.00")], [row("A", "2.00"), row("B")])
    assert run.report is not None
    assert run.report["records"]["matched"] == 2
    assert run.report["sides"]["a"]["superseded"] == 1
    assert problems() == []


def test_two_values_for_one_attribute_of_a_reference_are_held_at_the_gate(reconcile: Callable[..., Run]) -> None:
    rows = [row("A", country="DE"), row("B", country="FR"), row("C", party="Other")]
    reconcile(rows, rows)
    held = Break.objects.order_by("key")
    assert [(b.key, b.kind) for b in held] == [("A", "gate"), ("B", "gate")]
    assert "two values" in held[0].refusals.get().sentence
    assert problems() == []
