"""What two do at the same moment, one of them waits for the other and then sees what that one did."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from config.definitions.apply import apply_definition
from ingestion.errors import MissingColumn
from ingestion.models import MappingProposal
from ingestion.retention import Forgotten, forget
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import decide
from review.proposals import AlreadyAnswered, accept_proposal
from tests.conftest import DEFINITION, HEADER, Deliver, problems, row
from tests.faults.conftest import meanwhile


def test_a_decision_and_a_run_that_takes_up_its_break(
    committed: None, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    first = reconcile([row("A")], [row("A", "-10.00")])
    reconcile()
    brk, by = Break.objects.get(), person("Supervisor")
    assert brk.last_run_id != first.pk
    done = meanwhile(
        lambda: Break.objects.update(last_run=first),  # as good as a third one
        lambda: decide(brk=brk, action="reject", by=by, comment="no"),
    )
    assert done.result().action == "reject"


def test_two_retentions(committed: None, trades: Reconciliation, deliver: Deliver, tmp_path: Path) -> None:
    apply_definition(DEFINITION.replace("  left:\n", "  left:\n    retention: {raw_days: 30}\n"), tmp_path)
    deliver("left", f"{HEADER}\n{row('A')}\n")
    later = timezone.now() + dt.timedelta(days=31)
    done = meanwhile(lambda: forget(now=later, by="one"), lambda: forget(now=later, by="two"))
    assert done.result() == Forgotten() and problems() == []


def test_a_definition_and_an_accepted_proposal(
    committed: None, trades: Reconciliation, deliver: Deliver, person: Callable[[str], User], tmp_path: Path
) -> None:
    with pytest.raises(MissingColumn):
        deliver("left", f"{HEADER.replace('amount', 'amt')}\n{row('A')}\n")
    proposal, by = MappingProposal.objects.get(), person("Administrator")
    other = DEFINITION.replace("id: {column: id}", "id: {column: id, clean: [upper]}")
    done = meanwhile(lambda: apply_definition(other, tmp_path), lambda: accept_proposal(proposal=proposal, by=by))
    assert isinstance(done.exception(), AlreadyAnswered)
    assert trades.a.mappings.count() == 2 and problems() == []
