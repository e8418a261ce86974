"""Blind audits: who may answer, and what an answer does."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from attribution.guard import standing_of
from attribution.models import AuditAnswer, Correction, Draw, GateStep
from ingestion import custody
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.store.current import stored_versions
from review.audits import AuditRefused, answer_audit, differences_of, waiting_for
from review.bulk.deciding import Asked, decide_many
from review.decisions import DecisionRefused, confirm, decide
from review.journey import journey
from review.undoing import undo
from tests.conftest import DAY, problems, row
from tests.review.conftest import rounded
from tests.standing import lake_folder  # noqa: F401

RIGHT, WRONG = "ROUNDING_DIFF", "MANUAL_ENTRY_ERR"


@pytest.fixture(scope="module")
def passed(standing: Callable[..., Run]) -> Run:
    """A run of which four breaks passed and are drawn."""
    return standing(*rounded(4))


def gated(trades: Reconciliation, **gate: object) -> None:
    """Other rules for the gate, from the next run on."""
    trades.rules = {**trades.rules, "gate": {**trades.rules["gate"], **gate}}
    trades.save()
    custody.seal([trades])


def said(draw: Draw, by: User, reason: str) -> AuditAnswer:
    """The same reason for each difference."""
    return answer_audit(draw=draw, by=by, reasons=dict.fromkeys((it.pk for it in differences_of(draw)), reason))


def test_a_pass_that_was_right_counts_at_once_and_becomes_a_label(draws: list[Draw], ann: User) -> None:
    answer = said(draws[0], ann, "TIMING_LAG")
    assert (answer.number, answer.functional, answer.counts) == (1, True, True)
    label = Correction.objects.get()
    assert (label.reason_id, label.predicted, label.decision, label.confirmed_by) == ("TIMING_LAG", RIGHT, None, "ann")
    brk = Break.objects.get(pk=draws[0].brk_id)
    assert (brk.state, brk.reason) == ("passed", "TIMING_LAG")
    assert [it.pk for it in waiting_for(ann)] == [it.pk for it in draws[1:]]
    with pytest.raises(AuditRefused, match="settled already"):
        said(draws[0], ann, RIGHT)
    assert problems() == []


def test_that_a_pass_was_wrong_needs_a_second_person_who_knows_nothing_of_the_first(
    draws: list[Draw], ann: User, bob: User
) -> None:
    first = said(draws[0], ann, WRONG)
    assert (first.counts, Correction.objects.count()) == (False, 0)
    assert Break.objects.get(pk=draws[0].brk_id).state == "passed"
    assert draws[0] not in waiting_for(ann) and draws[0] in waiting_for(bob)
    with pytest.raises(AuditRefused, match="Another person audits it"):
        said(draws[0], ann, WRONG)
    second = said(draws[0], bob, RIGHT)
    assert (second.number, second.functional, second.counts) == (2, True, True)
    assert [it.reason_id for it in Correction.objects.all()] == [RIGHT]
    assert Break.objects.get(pk=draws[0].brk_id).state == "passed"
    assert (standing_of(draws[0].run.reconciliation).answers, problems()) == (1, [])


def test_a_confirmed_wrong_pass_comes_back_and_the_store_is_corrected(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation, reconcile: Callable[..., Run]
) -> None:
    for by in (ann, bob):
        said(draws[0], by, WRONG)
    brk = Break.objects.get(pk=draws[0].brk_id)
    assert (brk.state, brk.reason, brk.closed_at) == ("review", WRONG, None)
    assert [it.condition for it in brk.refusals.all()] == ["audit"]
    assert {it.fate for it in brk.members.with_fate()} == {"in_review"}
    assert problems() == []
    reconcile(*rounded(1, first=100), DAY + dt.timedelta(days=1))
    assert Break.objects.get(pk=brk.pk).state == "review"
    decide(brk=brk, action="override", by=ann, values={"amount": "10.20"})
    versions = stored_versions(trades.record_type, brk.key)
    assert [str(it["amount"]) for it in versions] == ["10.25", "10.20"]
    assert Correction.objects.get(difference__brk=brk, active=True).reason_id == WRONG
    assert problems() == []


def test_a_wrong_pass_that_is_approved_stays_as_it_is_stored(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation
) -> None:
    for by in (ann, bob):
        said(draws[0], by, WRONG)
    brk = Break.objects.get(pk=draws[0].brk_id)
    decide(brk=brk, action="approve", by=bob)
    assert len(stored_versions(trades.record_type, brk.key)) == 1
    assert (Break.objects.get(pk=brk.pk).state, problems()) == ("approved", [])


@pytest.fixture
def recalled(draws: list[Draw], ann: User, bob: User) -> Break:
    """A break that passed, and that two people found wrong."""
    for by in (ann, bob):
        said(draws[0], by, WRONG)
    return Break.objects.get(pk=draws[0].brk_id)


def standing(brk: Break) -> list[str]:
    """The amounts that the store holds now."""
    versions = stored_versions(brk.reconciliation.record_type, brk.key)
    return [str(it["amount"]) for it in versions if it["_valid_to"] is None]


def test_a_wrong_pass_that_is_rejected_leaves_the_store(
    recalled: Break, ann: User, person: Callable[..., User]
) -> None:
    decision = decide(brk=recalled, action="reject", by=ann)
    assert (Break.objects.get(pk=recalled.pk).state, standing(recalled)) == ("rejected", [])
    assert problems() == []
    told = journey(recalled.reconciliation, recalled.key).events
    assert [(it.title, it.who) for it in told if it.what == "taken-back"] == [
        ("Version 1 taken back", f"decision {decision.pk}")
    ]
    undo(decision=decision, by=person("Manager"), comment="it was right")
    assert (Break.objects.get(pk=recalled.pk).state, standing(recalled)) == ("review", ["10.25"])
    assert problems() == []
    decide(brk=recalled, action="reject", by=ann)
    assert (standing(recalled), problems()) == ([], [])


def test_what_stood_before_a_wrong_pass_stands_again(
    recalled: Break, trades: Reconciliation, ann: User, bob: User, reconcile: Callable[..., Run]
) -> None:
    decide(brk=recalled, action="approve", by=bob)
    later = DAY + dt.timedelta(days=1)
    reconcile([row(recalled.key, "20.25")], [row(recalled.key, "20.00")], later)
    draw = Draw.objects.latest("pk")
    for by in (User.objects.create(username=name) for name in ("cy", "di")):
        by.groups.set(ann.groups.all())
        said(draw, by, WRONG)
    brk = Break.objects.get(pk=draw.brk_id)
    assert (brk.state, standing(brk)) == ("review", ["20.25"])
    decision = decide(brk=brk, action="reject", by=ann)
    assert (standing(brk), problems()) == (["10.25"], [])
    undo(decision=decision, by=ann)
    assert (standing(brk), problems()) == (["20.25"], [])


def test_a_rejection_takes_nothing_out_that_others_stored(
    recalled: Break, ann: User, reconcile: Callable[..., Run]
) -> None:
    run = reconcile([row(recalled.key, "7.00")], [row(recalled.key, "7.00")], DAY + dt.timedelta(days=1))
    assert standing(recalled) == ["7.00"]
    brk = Break.objects.get(pk=recalled.pk)
    if brk.state == "review":
        with pytest.raises(DecisionRefused, match=f"by run {run.pk}, not by what passed in run"):
            decide(brk=brk, action="reject", by=ann)
    assert (standing(recalled), problems()) == (["7.00"], [])


def test_two_people_reject_a_wrong_pass_under_four_eyes(
    recalled: Break, ann: User, person: Callable[..., User]
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    custody.seal(list(Reconciliation.objects.all()))
    proposal = decide(brk=recalled, action="reject", by=ann)
    assert standing(recalled) == ["10.25"]
    confirm(decision=proposal, by=person("Supervisor"))
    assert (standing(recalled), problems()) == ([], [])


def test_many_at_once_leave_a_wrong_pass_to_its_own_page(recalled: Break, ann: User) -> None:
    asked = Asked(action="reject", reason="", comment="", by=ann)
    with transaction.atomic():
        found = decide_many([recalled], {recalled.pk: recalled.fingerprint}, asked)
    assert "Reject it on its own page" in str(found[recalled.pk])
    assert standing(recalled) == ["10.25"]


def test_who_cannot_tell_leaves_it_to_a_second_person(draws: list[Draw], ann: User, bob: User) -> None:
    first = answer_audit(draw=draws[0], by=ann, reasons=None, comment="both look right")
    assert (first.functional, first.counts, first.reasons.count()) == (None, False, 0)
    assert draws[0] not in waiting_for(ann) and draws[0] in waiting_for(bob)
    assert standing_of(draws[0].run.reconciliation).answers == 0
    second = said(draws[0], bob, RIGHT)
    assert (second.number, second.functional, second.counts) == (2, True, True)
    assert [it.reason_id for it in Correction.objects.all()] == [RIGHT]
    assert (standing_of(draws[0].run.reconciliation).wrong, problems()) == (0, [])


def test_what_two_people_cannot_tell_counts_as_wrong_and_teaches_nothing(
    draws: list[Draw], ann: User, bob: User
) -> None:
    said(draws[0], ann, WRONG)
    answer_audit(draw=draws[1], by=ann, reasons=None)
    for draw in draws[:2]:
        assert answer_audit(draw=draw, by=bob, reasons=None).counts
    step = GateStep.objects.get()
    assert (step.answers, step.wrong, Correction.objects.count()) == (2, 2, 0)
    for draw in draws[:2]:
        brk = Break.objects.get(pk=draw.brk_id)
        assert (brk.state, brk.reason) == ("review", RIGHT)
        assert brk.refusals.get().sentence.endswith("find no cause that is functional.")
    decide(brk=Break.objects.get(pk=draws[0].brk_id), action="approve", by=bob)
    assert problems() == []


def test_an_audit_of_values_that_changed_since_is_about_those_that_passed(
    draws: list[Draw], ann: User, bob: User, reconcile: Callable[..., Run]
) -> None:
    key = draws[0].brk.key
    reconcile([row(key, "10.00")], [row(key, "-10.00")], DAY + dt.timedelta(days=1))
    assert {(it.value_a, it.current) for it in differences_of(draws[0])} == {("10.25", False)}
    for by in (ann, bob):
        said(draws[0], by, WRONG)
    brk = Break.objects.get(key=key)
    assert (brk.state, brk.reason, brk.refusals.filter(condition="audit").count()) == ("review", "SIGN_FLIP", 0)
    assert standing_of(draws[0].run.reconciliation).wrong == 1
    assert problems() == []


def test_nobody_audits_what_they_decided_or_without_the_right(
    draws: list[Draw], ann: User, bob: User, person: Callable[..., User], reconcile: Callable[..., Run]
) -> None:
    key = draws[0].brk.key
    reconcile([row(key, "10.00")], [row(key, "-10.00")], DAY + dt.timedelta(days=1))
    decide(brk=Break.objects.get(key=key), action="approve", by=ann)
    with pytest.raises(AuditRefused, match="Another person audits it"):
        said(draws[0], ann, RIGHT)
    assert said(draws[0], bob, RIGHT).counts
    with pytest.raises(AuditRefused, match="Analysts, Supervisors and Managers audit"):
        said(draws[1], person("Auditor"), RIGHT)
    for wrong in ({}, {it.pk: "UNKNOWN" for it in differences_of(draws[1])}):
        with pytest.raises(AuditRefused, match="Name one for each difference"):
            answer_audit(draw=draws[1], by=bob, reasons=wrong)
    assert not AuditAnswer.objects.filter(draw=draws[1]).exists()
