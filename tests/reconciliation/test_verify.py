"""Verify names whatever one row was deleted or changed by hand."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from ingestion import lake
from ingestion.models import Delivery, QuarantinedRow
from reconciliation.models import Break, OutcomeFile, Run
from review.decisions import decide
from review.repairs import repair
from tests.conftest import row
from tests.test_straight_path import problems

CHANGED = [
    ("ingestion_recordtype", "label = 'x'"),
    ("ingestion_field", "label = 'x'"),
    ("ingestion_source", "label = 'x'"),
    ("ingestion_mapping", "document = '{}'"),
    ("ingestion_delivery", "file_name = 'x'"),
    ("ingestion_normalization", "flagged_values = 99"),
    ("ingestion_quarantinedrow", "raw = 'x'"),
    ("ingestion_repair", "comment = 'x'"),
    ("ingestion_repairedcell", "value = 'x'"),
    ("reconciliation_reconciliation", "label = 'x'"),
    ("reconciliation_ruleset", "document = '{}'"),
    ("reconciliation_run", "started_by = 'x'"),
    ("reconciliation_runstep", "records = 99"),
    ("reconciliation_outcomefile", "rows = 99"),
    ("reconciliation_outcomecount", "rows = 99"),
    ("reconciliation_break", "kind = 'gate'"),
    ("reconciliation_member", "record_number = 99"),
    ("reconciliation_difference", "value_a = 'x'"),
    ("reconciliation_gaterefusal", "sentence = 'x'"),
    ("attribution_reason", "label = 'x'"),
    ("attribution_attribution", "confidence = 0.1"),
    ("attribution_candidate", "evidence = 'x'"),
    ("attribution_correction", "confirmed_by = 'x'"),
    ("review_decision", "comment = 'x'"),
    ('store"."trade', "amount = 1.11"),
    ('store"."party_version', "country = 'XX'"),
]
DELETED = [
    "ingestion_quarantinedrow", "ingestion_repairedcell", "reconciliation_outcomecount", "reconciliation_runinput",
    "reconciliation_gaterefusal", "reconciliation_member", "attribution_candidate", "attribution_correction",
    "ingestion_seal", 'store"."trade',
]  # fmt: skip


@pytest.fixture
def walked(reconcile: Callable[..., Run], person: Callable[[str], User]) -> None:
    """A run with a quarantined row, a passed break, a held one, and a decision."""
    left = [row("A"), row("B", "10.25"), row("C", "5.00"), row("D"), "short,row"]
    reconcile(left, [row("A"), row("B", "10.00"), row("C", "-5.00")])
    by = person("Supervisor")
    decide(brk=Break.objects.get(key="C"), action="approve", by=by)
    repair(row=QuarantinedRow.objects.get(), cells={"id": "E"}, comment="the desk knows", by=by)
    assert problems() == []


def _named_after(statement: str, table: str) -> bool:
    """Whether verify names something once the first row of a table was tampered with; the tampering is undone."""
    one = "_id" if table.startswith("store") else "id"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'{statement} WHERE {one} = (SELECT min({one}) FROM "{table}")')
        assert cursor.rowcount == 1, table
        named = bool(problems())
        transaction.set_rollback(True)
    return named


def test_a_row_changed_by_hand_is_named(walked: None) -> None:
    passed = [(table, change) for table, change in CHANGED if not _named_after(f'UPDATE "{table}" SET {change}', table)]
    assert passed == []
    assert problems() == []


def test_a_row_deleted_by_hand_is_named(walked: None) -> None:
    assert [table for table in DELETED if not _named_after(f'DELETE FROM "{table}"', table)] == []
    assert problems() == []


def test_a_file_of_the_lake_that_was_altered_is_named(walked: None) -> None:
    path = lake.local(Delivery.objects.earliest("id").path)
    path.write_bytes(path.read_bytes() + b"x")
    assert any("was changed" in problem for problem in problems())
    lake.local(OutcomeFile.objects.get().path).unlink()
    assert any("is gone" in problem for problem in problems())
