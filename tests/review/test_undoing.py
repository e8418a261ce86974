"""Undoing a decision: break, rows, store, labels and reasons stand as before, and what was built on it is not undone."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from attribution.label_import import import_labels
from attribution.models import Attribution, Correction
from ingestion import custody
from reconciliation.conservation import conservation
from reconciliation.models import Break, Reconciliation, Retraction, Run
from reconciliation.row_states import row_states
from reconciliation.store.current import stored_versions
from review.decisions import AlreadyDecided, DecisionRefused, confirm, decide
from review.exports import store
from review.journey import journey
from review.models import Decision
from review.undoing import undo
from tests.conftest import DAY, problems, row
from tests.standing import lake_folder  # noqa: F401

NEXT_DAY = DAY + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """A turned sign, a matched record, a duplicate, and one that only A has."""
    return standing(
        [row("A", "10.00"), row("M"), row("D"), row("D", "11.00"), row("L")], [row("A", "-10.00"), row("M")]
    )


@pytest.fixture
def sign(made: Run, db: None) -> Break:
    """A break in review: the sign is turned."""
    return Break.objects.get(key="A")


def later(decision: Decision, seconds: int = 11) -> Decision:
    """As if it had been made some seconds earlier."""
    at = timezone.now() - dt.timedelta(seconds=seconds)
    Decision.objects.filter(pk=decision.pk).update(confirmed_at=at)
    custody.seal([decision])
    return Decision.objects.get(pk=decision.pk)


def shape_of(brk: Break) -> tuple[object, ...]:
    """What a break says of itself."""
    now = Break.objects.get(pk=brk.pk)
    said = Attribution.objects.filter(difference__brk=brk, current=True).values_list("reason_id", "assigned_by")
    rows = brk.members.with_fate().order_by("pk").values_list("pk", "state", "fate", "current")
    return now.state, now.band, now.reason, now.closed_at, now.closed_because, list(said), list(rows)


@pytest.mark.parametrize(
    "given",
    [
        {"action": "approve"},
        {"action": "reject"},
        {"action": "override", "reason": "MANUAL_ENTRY_ERR", "values": {"amount": "12.5"}},
    ],
)
def test_everything_stands_as_before(
    sign: Break, made: Run, trades: Reconciliation, person: Callable[[str], User], given: dict[str, object]
) -> None:
    before, numbers, analyst = shape_of(sign), conservation(made), person("Analyst")
    decision = decide(brk=sign, by=analyst, **given)  # type: ignore[arg-type]
    assert shape_of(sign) != before and Correction.objects.filter(active=True).count() == 1
    done = undo(decision=decision, by=analyst)
    assert (done.undone_by, done.undo_comment, done.told[-8:]) == (analyst, "", ", undone")
    assert shape_of(sign) == before and conservation(made) == numbers
    assert not Correction.objects.standing().exists()
    assert [it for it in stored_versions(trades.record_type, "A") if it["_valid_to"] is None] == []
    delivery = sign.members.first().delivery  # type: ignore[union-attr]
    assert [it.state for it in row_states(delivery, 1, 5) if it.key == "A"] == ["in_review"]
    assert [line[0] for line in store(made)[1]] == ["M"]
    assert problems() == []


def test_the_same_record_is_decided_anew_and_its_versions_count_on(
    sign: Break, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    analyst = person("Analyst")
    undo(decision=decide(brk=sign, action="approve", by=analyst), by=analyst)
    decide(brk=sign, action="override", values={"amount": "7.00"}, by=analyst)
    found = [
        (it["_version"], str(it["amount"]), it["_valid_to"] is None) for it in stored_versions(trades.record_type, "A")
    ]
    assert found == [(1, "10.00", False), (2, "7.00", True)]
    assert problems() == []
    undo(decision=Decision.objects.latest("id"), by=analyst)
    assert problems() == []
    told = [it.title for it in journey(trades, "A").events]
    assert told.count("Version 1 taken back") == told.count("Version 2 taken back") == 1
    assert "Approved" in told and sum("undone, back in review" in it for it in told) == 2


def test_what_the_record_was_before_is_stored_again(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    analyst = person("Analyst")
    again = reconcile([row("M", "12.00", country="FR")], [row("M", "13.00", country="FR")], NEXT_DAY)
    brk = Break.objects.get(key="M")
    undo(decision=decide(brk=brk, action="approve", by=analyst), by=analyst)
    found = [
        (it["_version"], str(it["amount"]), it["party.country"]) for it in stored_versions(trades.record_type, "M")
    ]
    assert found == [(1, "10.00", "DE"), (2, "12.00", "FR"), (3, "10.00", "DE")]
    assert {(it.record_type.code, it.version, it.restored) for it in Retraction.objects.all()} == {
        ("trade", 2, 3), ("party", 2, 3),
    }  # fmt: skip
    assert [line[0] for line in store(again)[1]] == []
    assert "Stored as version 3, with the values of version 1" in [it.title for it in journey(trades, "M").events]
    assert problems() == []
    decide(brk=brk, action="approve", by=analyst)
    assert [it["_version"] for it in stored_versions(trades.record_type, "M")] == [1, 2, 3, 4]
    assert problems() == []


def test_what_others_said_of_a_reference_since_stays(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    manager = person("Manager")
    reconcile([row("M", "12.00", country="FR"), row("N", "2.00", country="FR")],
              [row("M", "13.00", country="FR"), row("N", "1.00", country="FR")], NEXT_DAY)  # fmt: skip
    first = decide(brk=Break.objects.get(key="M"), action="approve", by=manager)
    decide(brk=Break.objects.get(key="N"), action="approve", by=manager)
    undo(decision=first, by=manager)
    assert [it.record_type.code for it in Retraction.objects.all()] == ["trade"]
    assert stored_versions(trades.record_type, "N")[0]["party.country"] == "FR"
    assert problems() == []


def test_a_duplicate_is_undone_with_its_rows(sign: Break, made: Run, person: Callable[[str], User]) -> None:
    analyst, twice = person("Analyst"), Break.objects.get(key="D")
    before = shape_of(twice)
    undo(decision=decide(brk=twice, action="approve", by=analyst, member=twice.members.get(position=2)), by=analyst)
    assert shape_of(twice) == before and problems() == []


def test_a_label_that_the_decision_replaced_teaches_again(
    sign: Break, person: Callable[[str], User], tmp_path: object
) -> None:
    file = tmp_path / "labels.csv"  # type: ignore[operator]
    file.write_text("reconciliation,key,field,reason\ntrades,A,amount,ACCRUAL_DIFF\n")
    import_labels(file=file, by="ann")
    analyst = person("Analyst")
    undo(decision=decide(brk=sign, action="override", reason="MANUAL_ENTRY_ERR", by=analyst), by=analyst)
    assert [(it.reason_id, it.confirmed_by) for it in Correction.objects.filter(active=True)] == [
        ("ACCRUAL_DIFF", "ann")
    ]
    decide(brk=sign, action="override", reason="FX_VARIANCE", by=analyst)
    undo(decision=Decision.objects.latest("id"), by=analyst)
    assert Attribution.objects.get(difference__brk=sign, current=True).assigned_by.startswith("prover:")
    assert Correction.objects.count() == 3 and problems() == []


def test_after_ten_seconds_it_needs_a_right_and_a_comment(sign: Break, person: Callable[[str], User]) -> None:
    analyst, other, supervisor = person("Analyst"), person("Analyst", "other"), person("Supervisor")
    decision = decide(brk=sign, action="approve", by=analyst)
    with pytest.raises(DecisionRefused, match="Only analyst undoes it in the first 10 seconds"):
        undo(decision=decision, by=other)
    with pytest.raises(DecisionRefused, match="analysts|Analysts"):
        undo(decision=decision, by=person("Auditor"))
    decision = later(decision)
    with pytest.raises(DecisionRefused, match="The 10 seconds are over."):
        undo(decision=decision, by=analyst, comment="wrong")
    for comment, fault in (("  ", "Say in a comment why"), ("a\0b", "NUL")):
        with pytest.raises(DecisionRefused, match=fault):
            undo(decision=decision, by=supervisor, comment=comment)
    with pytest.raises(IntegrityError, match="decision_late_undo_says_why"), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(undone_by=analyst, undone_at=timezone.now(), undo_comment="")
    assert undo(decision=decision, by=supervisor, comment=" wrong bank ").undo_comment == "wrong bank"
    with pytest.raises(AlreadyDecided, match="supervisor undid this decision already"):
        undo(decision=decision, by=supervisor, comment="again")
    assert problems() == []


def test_under_four_eyes_undoing_needs_what_confirming_needs(
    sign: Break, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    trades.four_eyes = True
    trades.save()
    custody.seal([trades])
    supervisor, manager = person("Supervisor"), person("Manager")
    decision = decide(brk=sign, action="approve", by=supervisor)
    with pytest.raises(DecisionRefused, match="It waits for a second person; withdraw it."):
        undo(decision=decision, by=supervisor)
    confirm(decision=decision, by=manager)
    with pytest.raises(DecisionRefused, match="Nobody undoes what they proposed"):
        undo(decision=decision, by=supervisor, comment="no")
    with pytest.raises(DecisionRefused, match="A Supervisor or a Manager undoes what was confirmed"):
        undo(decision=decision, by=person("Analyst"), comment="no")
    with pytest.raises(IntegrityError, match="decision_nobody_undoes_their_own_proposal"), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(undone_by=supervisor, undone_at=timezone.now(), undo_comment="x")
    undo(decision=decision, by=manager)
    assert Break.objects.get(pk=sign.pk).state == "review" and problems() == []


def test_what_was_built_on_it_is_not_undone(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    manager, lonely = person("Manager"), Break.objects.get(key="L")
    approved = decide(brk=sign, action="approve", by=manager)
    kept = decide(brk=lonely, action="approve", by=manager)
    run = reconcile([row("A", "10.00"), row("L")], [row("A", "10.00")], NEXT_DAY)
    for decision, key in ((approved, "A"), (kept, "L")):
        with pytest.raises(AlreadyDecided, match=f"Run {run.pk} stored {key} since. So this decision is not undone"):
            undo(decision=decision, by=manager, comment="wrong")
    reconcile([row("A", "20.00")], [row("A", "-20.00")], NEXT_DAY + dt.timedelta(days=1))
    with pytest.raises(AlreadyDecided, match="The values changed since, and the break is in review anew"):
        undo(decision=approved, by=manager, comment="wrong")
    assert not Retraction.objects.exists() and problems() == []


def test_a_run_that_saw_the_same_values_again_keeps_no_decision_from_being_undone(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    manager = person("Manager")
    decision = decide(brk=sign, action="approve", by=manager)
    run = reconcile([row("A", "10.00")], [row("A", "-10.00")], NEXT_DAY)
    undo(decision=decision, by=manager, comment="wrong")
    assert (Break.objects.get(pk=sign.pk).state, conservation(run).states["in_review"]) == ("review", 2)
    decide(brk=sign, action="reject", by=manager)
    assert problems() == []
