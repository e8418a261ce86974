"""One record is checked as many are: by the same rules, in the same words."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciliation.models import Break, Run
from reconciliation.rechecks import failed_checks, failing_records
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401

CHECKS: list[dict[str, Any]] = [
    {"field": "amount", "rule": "between", "min": "0", "max": "100"},
    {"field": "currency", "rule": "in", "values": ["EUR", "O'X"]},
    {"field": "currency", "rule": "regex", "pattern": "[A-Z]{3}"},
    {"field": "amount", "rule": "not_null"},
    {"field": "currency", "rule": "not_null"},
]
RECORDS: list[Mapping[str, str | None]] = [
    {}, {"amount": "100.01"}, {"amount": "-0.01", "currency": "usd"}, {"amount": None}, {"currency": None},
    {"currency": "O'X"}, {"currency": "$1"}, {"id": "K" * 2001},
]  # fmt: skip


@pytest.fixture(scope="module")
def ended(standing: Callable[..., Run]) -> Run:
    """A run with one break."""
    return standing([row("SIGN", "10.00")], [row("SIGN", "-10.00")])


@pytest.fixture
def brk(ended: Run, db: None) -> Break:
    """A break whose rules have checks of several kinds."""
    found = Break.objects.select_related("last_run__rule_set").get()
    rules = found.last_run.rule_set
    rules.document = {**rules.document, "gate": {**(rules.document.get("gate") or {}), "checks": CHECKS}}
    return found


@pytest.mark.parametrize("change", RECORDS, ids=lambda it: " ".join(it) or "as it came")
def test_one_record_is_checked_as_many_are(brk: Break, change: Mapping[str, str | None]) -> None:
    member = brk.members.first()
    assert member is not None
    record = member.record | change
    shape = brk.reconciliation.record_type.shape()
    alone = failed_checks(brk, record)
    assert alone == failing_records(brk.last_run, shape, [(brk.key, brk.bucket, record)]).get(brk.key, [])
    assert bool(alone) == bool(change)
