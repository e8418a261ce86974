"""Two at once where one of them undoes: one wins, the other waits and then sees what happened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from attribution.label_import import import_labels
from attribution.models import Correction
from reconciliation import diff, inputs
from reconciliation.models import Break, Reconciliation, Run
from review.decisions import AlreadyDecided, decide
from review.models import Decision
from review.second_opinions import AlreadyAnswered, answer_opinion
from review.undoing import undo
from tests.conftest import problems, row
from tests.faults.conftest import meanwhile
from tests.review.test_second_opinions import let_model_say, say
from tests.review.test_undoing import NEXT_DAY


@pytest.fixture
def sign(committed: None, reconcile: Callable[..., Run]) -> Break:
    """A break in review: the sign is turned."""
    reconcile([row("A", "10.00")], [row("A", "-10.00")])
    return Break.objects.get(key="A")


def test_two_undo_the_same_decision(sign: Break, person: Callable[..., User]) -> None:
    one, two = person("Manager", "one"), person("Manager", "two")
    decision = decide(brk=sign, action="approve", by=one)
    done = meanwhile(lambda: undo(decision=decision, by=one), lambda: undo(decision=decision, by=two, comment="wrong"))
    with pytest.raises(AlreadyDecided, match="one undid this decision already"):
        done.result()
    assert Decision.objects.get().undone_by == one and problems() == []


def test_one_undoes_while_another_decides_anew(sign: Break, person: Callable[..., User]) -> None:
    one, two = person("Manager", "one"), person("Manager", "two")
    decision = decide(brk=sign, action="approve", by=one)
    done = meanwhile(lambda: undo(decision=decision, by=one), lambda: decide(brk=sign, action="reject", by=two))
    assert done.result().action == "reject" and Break.objects.get().state == "rejected" and problems() == []


def test_an_import_beside_a_decision(sign: Break, person: Callable[..., User], tmp_path: Path) -> None:
    by, file = person("Manager"), tmp_path / "labels.csv"
    file.write_text("reconciliation,key,field,reason\ntrades,A,amount,ACCRUAL_DIFF\n")
    given = {"action": "override", "reason": "MANUAL_ENTRY_ERR"}
    done = meanwhile(lambda: decide(brk=sign, by=by, **given), lambda: import_labels(file=file, by="ann"))  # type: ignore[arg-type]
    assert vars(done.result()) == {"written": 0, "known": 0, "kept": 1, "waiting": 0}
    assert Correction.objects.get(active=True).reason_id == "MANUAL_ENTRY_ERR" and problems() == []


def test_a_decision_beside_an_import(sign: Break, person: Callable[..., User], tmp_path: Path) -> None:
    by, file = person("Manager"), tmp_path / "labels.csv"
    file.write_text("reconciliation,key,field,reason\ntrades,A,amount,ACCRUAL_DIFF\n")
    done = meanwhile(
        lambda: import_labels(file=file, by="ann"),
        lambda: decide(brk=sign, by=by, action="override", reason="MANUAL_ENTRY_ERR"),
    )
    assert done.result().reason == "MANUAL_ENTRY_ERR"
    label = Correction.objects.get(active=True)
    assert (label.reason_id, label.replaced.reason_id) == ("MANUAL_ENTRY_ERR", "ACCRUAL_DIFF")  # type: ignore[union-attr]
    assert problems() == []


def test_a_range_that_read_what_is_taken_back_is_compared_again(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    by = person("Manager")
    decision = decide(brk=sign, action="approve", by=by)
    plain, seen = inputs.add_stored, []

    def undone_meanwhile(duck: Any, given: Any) -> None:  # noqa: ANN401
        plain(duck, given)
        if not seen and duck.execute("SELECT count(*) FROM stored").fetchone()[0]:
            seen.append(undo(decision=decision, by=by, comment="wrong"))

    monkeypatch.setattr(diff.inputs, "add_stored", undone_meanwhile)
    run = reconcile([row("A", "10.00")], None, NEXT_DAY)
    assert seen and run.report is not None
    assert run.report["records"]["differing"] == 1 and "confirmed" not in run.report["records"]
    assert problems() == []


def test_two_give_a_second_opinion(sign: Break, person: Callable[..., User]) -> None:
    one, two = person("Supervisor", "one"), person("Supervisor", "two")
    let_model_say(sign)
    opinion = say(sign, person("Analyst")).opinion  # type: ignore[attr-defined]
    done = meanwhile(
        lambda: answer_opinion(opinion=opinion, reason="FX_VARIANCE", by=one),
        lambda: answer_opinion(opinion=opinion, reason="MANUAL_ENTRY_ERR", by=two),
    )
    with pytest.raises(AlreadyAnswered, match="one gave the second opinion on this label already"):
        done.result()
    assert Correction.objects.get(active=True).reason_id == "FX_VARIANCE" and problems() == []
