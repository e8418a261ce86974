"""An older business date that comes late never replaces what is stored, and its rows say so."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from reconciliation.models import Break, OutcomeCount, Reconciliation, Run
from reconciliation.store.current import stored_versions
from review.decisions import DecisionRefused, decide
from tests.conftest import DAY, row
from tests.test_straight_path import problems

BEFORE = DAY - dt.timedelta(days=1)


def test_a_late_older_pair_is_superseded_unless_it_says_the_same(
    reconcile: Callable[..., Run], trades: Reconciliation
) -> None:
    reconcile([row("A"), row("B"), row("C")], [row("A"), row("B"), row("C")])
    older = [row("A", "11.00"), row("B"), row("C", "11.00")], [row("A", "11.00"), row("B"), row("C", "12.00")]
    run = reconcile(*older, BEFORE)
    amounts = [[str(it["amount"]) for it in stored_versions(trades.record_type, key)] for key in "ABC"]
    assert amounts == [["10.00"], ["10.00"], ["10.00"]]
    counted = OutcomeCount.objects.filter(file__step__run=run, side="a").values_list("state", "rows")
    assert dict(counted) == {"stored": 1, "superseded": 2}
    assert not Break.objects.exists()
    assert problems() == []


def test_an_older_break_is_not_approved_over_a_newer_row(
    reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    reconcile([row("A", "10.00")], [row("A", "55.00")], BEFORE)
    brk = Break.objects.get(key="A")
    reconcile([row("A", "12.00")], [row("A", "12.00")])
    brk.refresh_from_db()
    with pytest.raises(DecisionRefused):
        decide(brk=brk, action="approve", by=person("Manager"))
    assert problems() == []
