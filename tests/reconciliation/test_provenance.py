"""References that triggers hold: as firm as foreign keys."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from reconciliation.models import Run
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

NAMED = [
    ("reconciliation_break", "reconciliation_id", "break_of_reconciliation"),
    ("reconciliation_break", "opened_run_id", "break_opened_by_run"),
    ("reconciliation_member", "delivery_id", "member_of_delivery"),
    ("reconciliation_member", "run_id", "member_of_run"),
    ("reconciliation_difference", "run_id", "difference_of_run"),
    ("reconciliation_gaterefusal", "run_id", "gate_refusal_of_run"),
    ("attribution_attribution", "run_id", "attribution_of_run"),
    ("attribution_attribution", "reason_id", "attribution_of_reason"),
    ("attribution_candidate", "reason_id", "candidate_of_reason"),
]
OTHERWISE_UNIQUE = {
    "reconciliation_break": ("key", "'another'"),
    "reconciliation_member": ("record_number", "99"),
    "reconciliation_difference": ("values_hash", "'another'"),
    "reconciliation_gaterefusal": ("condition", "'another'"),
    "attribution_attribution": ("current", "false"),
    "attribution_candidate": ("rank", "3"),
}


@pytest.fixture(scope="module")
def ended(standing: Callable[..., Run]) -> Run:
    """A run with a break that is refused."""
    return standing([row("A", "5.00")], [row("A", "-5.00")])


@pytest.fixture
def broken(ended: Run, db: None) -> Run:
    """The same, read anew."""
    return Run.objects.get(pk=ended.pk)


def _refused(statement: str, name: str) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(("table", "column", "name"), NAMED)
def test_a_row_names_only_what_is_there_and_never_another(broken: Run, table: str, column: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        columns = [it for (it,) in cursor.fetchall() if it != "id"]
    other = "'NOBODY'" if column == "reason_id" else "987654"
    given = {column: other, OTHERWISE_UNIQUE[table][0]: OTHERWISE_UNIQUE[table][1]}
    copied = ", ".join(given.get(it, it) for it in columns)
    _refused(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {copied} FROM {table} LIMIT 1", name)
    _refused(f"UPDATE {table} SET {column} = {other}", name)


@pytest.mark.parametrize("parent", ["reconciliation_run", "ingestion_delivery", "reconciliation_reconciliation"])
def test_a_parent_that_is_named_cannot_go(broken: Run, parent: str) -> None:
    _refused(f"DELETE FROM {parent}", "_of_|opened_by|violates foreign key")


def test_a_reason_that_is_named_keeps_its_code(broken: Run) -> None:
    _refused("UPDATE attribution_reason SET code = 'OTHER_FLIP' WHERE code = 'SIGN_FLIP'", "of_reason")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE attribution_reason SET code = 'OTHER' WHERE code = 'ACCRUAL_DIFF'")
        assert cursor.rowcount == 1
