"""Decisions: who may, what is refused, what follows."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from attribution.models import Correction
from ingestion import custody
from ingestion.models import Alert, AuditEvent
from ingestion.shape import Leaf, Shape
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.store.current import stored_versions
from review.decisions import AlreadyDecided, DecisionRefused, confirm, decide, waive, withdraw
from review.decisions.records import given_leaves
from review.models import Decision
from tests.conftest import DAY, row
from tests.standing import lake_folder  # noqa: F401
from tests.test_straight_path import problems

NEXT_DAY = DAY + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """A turned sign, a failed check, a duplicate."""
    left = [row("A", "10.00"), row("G", "5000.00"), row("D"), row("D", "11.00")]
    return standing(left, [row("A", "-10.00"), row("G", "5000.00")])


@pytest.fixture
def sign(made: Run, db: None) -> Break:
    """A break in review: the sign is turned."""
    return Break.objects.get(key="A")


def test_an_override_gives_reason_and_value(sign: Break, trades: Reconciliation, person: Callable[[str], User]) -> None:
    decide(brk=sign, action="override", by=person("Analyst"), reason="MANUAL_ENTRY_ERR", values={"amount": "12.5"})
    assert str(stored_versions(trades.record_type, "A")[0]["amount"]) == "12.50"
    correction = Correction.objects.get()
    assert (correction.reason_id, correction.predicted) == ("MANUAL_ENTRY_ERR", "SIGN_FLIP")
    assert problems() == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"action": "vanish"}, "no action"),
        ({"action": "override"}, "a reason, a value"),
        ({"action": "override", "reason": "SIGNFLIP"}, r"no active reason 'SIGNFLIP'; did you mean 'SIGN_FLIP'\?$"),
        ({"action": "override", "values": {"amount": "12.345"}}, "does not fit"),
        ({"action": "override", "values": {"amuont": "1"}}, r"no field 'amuont'; did you mean 'amount'\?$"),
        ({"action": "override", "values": {"id": "Z"}}, "is the key"),
        ({"action": "override", "values": {"id": None}}, "is the key"),
        ({"action": "override", "values": {"party": "X", "party.name": "Y"}}, "party is given twice"),
        ({"action": "override", "values": {"amount": "-1"}}, "Held by the gate"),
        ({"action": "approve", "expected_fingerprint": "x"}, "changed since"),
    ],
)
def test_a_refusal_says_why_and_writes_nothing(
    sign: Break, person: Callable[[str], User], given: dict[str, object], says: str
) -> None:
    with pytest.raises(DecisionRefused, match=says):
        decide(brk=sign, by=person("Supervisor"), **given)  # type: ignore[arg-type]
    assert not Decision.objects.exists()
    assert Break.objects.get(pk=sign.pk).state == "review"


def test_a_key_is_the_key_by_its_other_name_too() -> None:
    key = Leaf("party.name", "party", "f1_1", "text", key=True, reference="party", reference_key=True)
    for name in ("party", "party.name"):
        with pytest.raises(DecisionRefused, match="party is the key"):
            list(given_leaves(Shape("account", (key,)), {name: "X"}))


def test_an_auditor_decides_nothing(sign: Break, person: Callable[[str], User]) -> None:
    with pytest.raises(DecisionRefused, match="Analysts, Supervisors and Managers"):
        decide(brk=sign, action="approve", by=person("Auditor"))


def test_a_second_decision_finds_the_first(sign: Break, person: Callable[[str], User]) -> None:
    decide(brk=sign, action="approve", by=person("Supervisor"))
    with pytest.raises(AlreadyDecided, match="decided already by supervisor"):
        decide(brk=sign, action="reject", by=person("Manager"))


def test_a_failed_check_holds_an_approval_until_a_manager_waives_it(sign: Break, person: Callable[[str], User]) -> None:
    gate = Break.objects.get(key="G")
    supervisor, manager = person("Supervisor"), person("Manager")
    with pytest.raises(DecisionRefused, match="5000.00 is not between 0 and 1000"):
        decide(brk=gate, action="approve", by=supervisor)
    with pytest.raises(DecisionRefused, match="Only a Manager"):
        waive(brk=gate, condition="check:amount:between", by=supervisor, comment="fine")
    with pytest.raises(
        DecisionRefused, match=r"No check 'amount' holds this break back; there is check:amount:between\.$"
    ):
        waive(brk=gate, condition="amount", by=manager, comment="fine")
    waive(brk=gate, condition="check:amount:between", by=manager, comment="confirmed by telephone")
    decide(brk=gate, action="approve", by=supervisor)
    assert Break.objects.get(pk=gate.pk).state == "approved"
    assert problems() == []


def test_a_duplicate_is_approved_by_its_row(sign: Break, trades: Reconciliation, person: Callable[[str], User]) -> None:
    twice = Break.objects.get(key="D")
    supervisor = person("Supervisor")
    with pytest.raises(DecisionRefused, match="Name the row"):
        decide(brk=twice, action="approve", by=supervisor)
    decide(brk=twice, action="approve", by=supervisor, member=twice.members.get(position=2))
    assert str(stored_versions(trades.record_type, "D")[0]["amount"]) == "11.00"
    assert sorted(twice.members.with_fate().values_list("position", "fate")) == [(1, "duplicate"), (2, "stored")]
    assert problems() == []


def test_under_four_eyes_nobody_confirms_their_own(
    sign: Break, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    Reconciliation.objects.filter(pk=trades.pk).update(four_eyes=True)
    supervisor = person("Supervisor")
    proposal = decide(brk=sign, action="approve", by=supervisor)
    assert Break.objects.get(pk=sign.pk).state == "review"
    with pytest.raises(DecisionRefused, match="Nobody confirms their own"):
        confirm(decision=proposal, by=supervisor)
    with pytest.raises(IntegrityError, match="decision_nobody_confirms_their_own"), transaction.atomic():
        Decision.objects.filter(pk=proposal.pk).update(confirmed_by=supervisor, confirmed_at=proposal.proposed_at)
    confirm(decision=proposal, by=person("Manager"))
    assert Break.objects.get(pk=sign.pk).state == "approved"


def under_four_eyes(trades: Reconciliation) -> None:
    """Set it, as `define` would."""
    trades.four_eyes = True
    trades.save()
    custody.seal([trades])


def test_a_proposal_about_other_values_is_void_and_holds_nothing_up(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    under_four_eyes(trades)
    supervisor, manager = person("Supervisor"), person("Manager")
    stale = decide(brk=sign, action="approve", by=supervisor)
    reconcile([row("A", "20.00")], [row("A", "-20.00")], NEXT_DAY)
    stale.refresh_from_db()
    assert stale.withdrawn and stale.withdrawn_by is None and stale.void_because == "The values changed since."
    assert [tuple(it) for it in stale.void_changes] == [
        ("a", "amount", "10.00", "20.00"),
        ("b", "amount", "-10.00", "-20.00"),
    ]
    with pytest.raises(AlreadyDecided, match="no longer open. The values changed since."):
        confirm(decision=stale, by=manager)
    fresh = decide(brk=sign, action="approve", by=manager)
    assert AuditEvent.objects.get(action="decision.voided").after["changed"] == ["A amount", "B amount"]
    confirm(decision=fresh, by=supervisor)
    assert str(stored_versions(trades.record_type, "A")[0]["amount"]) == "20.00"
    assert problems() == []


def test_a_stale_proposal_that_is_confirmed_before_anyone_noticed_is_void(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    under_four_eyes(trades)
    stale = decide(brk=sign, action="approve", by=person("Supervisor"))
    monkeypatch.setattr("config.pipeline.void_stale", lambda _: 0)
    reconcile([row("A", "10.00")], [row("A", "-20.00")], NEXT_DAY)
    with pytest.raises(AlreadyDecided, match="the proposal is void: B amount."):
        confirm(decision=stale, by=person("Manager"))
    stale.refresh_from_db()
    assert stale.told == "Approval proposed, void" and problems() == []


def test_a_proposal_about_a_break_that_ended_is_void(
    sign: Break, trades: Reconciliation, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    under_four_eyes(trades)
    stale = decide(brk=sign, action="reject", by=person("Supervisor"))
    reconcile([row("A", "10.00")], [row("A", "10.00")], NEXT_DAY)
    stale.refresh_from_db()
    assert stale.void_because == "The break is closed by now." and problems() == []
    assert Alert.objects.get(event="proposal.void").person == stale.proposed_by


def test_a_second_click_finds_the_own_proposal(
    sign: Break, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    under_four_eyes(trades)
    supervisor = person("Supervisor")
    first = decide(brk=sign, action="approve", by=supervisor)
    with pytest.raises(AlreadyDecided, match="You proposed this already") as refused:
        decide(brk=sign, action="approve", by=supervisor)
    assert refused.value.decision == first


def test_a_proposal_is_withdrawn_by_who_made_it_or_may_confirm_it(
    sign: Break, trades: Reconciliation, person: Callable[[str], User]
) -> None:
    under_four_eyes(trades)
    analyst, manager = person("Analyst"), person("Manager")
    withdraw(decision=decide(brk=sign, action="approve", by=analyst), by=analyst)
    proposal = decide(brk=sign, action="approve", by=manager)
    with pytest.raises(DecisionRefused, match="manager, a Supervisor or a Manager withdraws"):
        withdraw(decision=proposal, by=analyst)
    withdraw(decision=proposal, by=person("Supervisor"))
    with pytest.raises(AlreadyDecided, match="no longer open"):
        confirm(decision=proposal, by=person("Manager", "other"))
    confirm(decision=decide(brk=sign, action="reject", by=analyst), by=manager)
    assert Break.objects.get(pk=sign.pk).state == "rejected"
    assert problems() == []
