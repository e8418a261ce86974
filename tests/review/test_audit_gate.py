"""What the guard makes of the answers of blind audits: it warns, steps down, closes, and a Manager opens again."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from attribution.certificates import warrant_of
from attribution.guard import ReopenRefused, judge_gate, reopen_gate, standing_of
from attribution.models import AuditAnswer, Certificate, Draw, GateStep, ModelVersion
from attribution.rungs import closed_gate, is_closed, working_bound
from config.tasks import watch_gates
from ingestion.alerts import put_target
from ingestion.models import Alert
from ingestion.notices import send_notice, to_send
from reconciliation.models import Break, Reconciliation, Run
from reconciliation.rules import Rules
from reconciliation.runs import start_run
from tests.conftest import DAY, problems
from tests.review.conftest import rounded
from tests.review.test_audits import RIGHT, WRONG, gated, passed, said  # noqa: F401
from tests.standing import lake_folder, standing_trades  # noqa: F401


def wrong(draws: list[Draw], *people: User) -> None:
    """Two people find each wrong."""
    for draw in draws:
        for by in people:
            said(draw, by, WRONG)


def test_wrong_passes_warn_then_close_the_gate(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation, reconcile: Callable[..., Run]
) -> None:
    put_target(code="ops", kind="email", address="ops@example.com", sources=[])
    said(draws[0], ann, RIGHT)
    wrong(draws[1:3], ann, bob)
    assert (standing_of(trades).warns, standing_of(trades).trips) == (True, False)
    assert [it.event for it in Alert.objects.all()] == ["gate.warned"]
    wrong(draws[3:], ann, bob)
    step = GateStep.objects.get()
    assert (step.kind, step.bound, step.answers, step.wrong, step.by) == ("trip", None, 4, 3, "")
    assert step.evidence > 14 and is_closed(trades) and working_bound(trades, None) is None
    assert step.because == "3 of 4 audited records had a cause that is not functional; at most 10 % may."
    watch_gates()
    assert (GateStep.objects.count(), judge_gate(trades)) == (1, None)
    now = timezone.now()
    assert all(send_notice(pk, now) for pk in to_send(now))
    assert mail.outbox[-1].subject.startswith("Tieout: The gate of trades closed. 3 of 4")

    run = reconcile(*rounded(3, first=50), DAY + dt.timedelta(days=1))
    held = Break.objects.filter(last_run=run)
    assert {it.state for it in held} == {"review"}
    assert {it.refusals.get().sentence for it in held} == {"The gate of trades is open"}


def test_a_manager_opens_a_closed_gate_once_something_was_mended(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation, person: Callable[..., User]
) -> None:
    said(draws[0], ann, RIGHT)
    wrong(draws[1:], ann, bob)
    manager = person("Manager")
    with pytest.raises(ReopenRefused, match="Nothing changed since"):
        reopen_gate(reconciliation=trades, by=manager, comment="again")
    with pytest.raises(ReopenRefused, match="Managers open gates"):
        reopen_gate(reconciliation=trades, by=ann, comment="again")
    ModelVersion.objects.create(
        reconciliation=trades, version=1, labels=1, artifact_sha256="0", trained_at=timezone.now(), state="champion",
        promoted_at=timezone.now(), promoted_by="manager",
    )  # fmt: skip
    with pytest.raises(ReopenRefused, match="needs a comment"):
        reopen_gate(reconciliation=trades, by=manager, comment=" ")
    opened = reopen_gate(reconciliation=trades, by=manager, comment="a new model")
    assert (opened.number, opened.by, str(opened.bound)) == (2, "manager", "0.10")
    assert not is_closed(trades) and closed_gate(trades) == []
    with pytest.raises(ReopenRefused, match="is open"):
        reopen_gate(reconciliation=trades, by=manager, comment="again")
    assert (standing_of(trades).answers, standing_of(trades).evidence) == (0, 1.0)


def test_other_rules_open_a_gate_too(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation, person: Callable[..., User]
) -> None:
    wrong(draws[:2], ann, bob)
    assert is_closed(trades)
    gated(trades, confidence="0.96")
    reopen_gate(reconciliation=trades, by=person("Manager"), comment="the provers were too sure")
    assert not is_closed(trades)
    assert standing_of(trades).bound == standing_of(trades).promised
    assert problems() == []


def test_a_budgeted_gate_goes_down_rung_by_rung(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(trades, budget="0.05")
    wrong(draws[:2], ann, bob)
    assert [str(it.bound) for it in GateStep.objects.all()] == ["0.020"]
    assert not is_closed(trades)
    assert str(working_bound(trades, standing_of(trades).promised)) == "0.020"
    assert Alert.objects.filter(event="gate.stepped").count() == 1
    Draw.objects.update(drawn_at=timezone.now())  # as if drawn after the step
    wrong(draws[2:], ann, bob)
    assert [str(it.bound) for it in GateStep.objects.order_by("number")] == ["0.020", "0.010"]
    gated(trades, budget="none")
    assert is_closed(trades)  # nothing else would hold the stricter bound


def test_the_test_begins_anew_with_each_window(draws: list[Draw], ann: User, bob: User, trades: Reconciliation) -> None:
    Draw.objects.update(drawn_at=timezone.now() - dt.timedelta(days=40))
    wrong(draws[:1], ann, bob)
    assert standing_of(trades).wrong == 1
    AuditAnswer.objects.update(answered_at=timezone.now() - dt.timedelta(days=15))
    assert standing_of(trades).wrong == 0
    assert standing_of(trades, timezone.now() - dt.timedelta(days=12)).wrong == 1


def test_a_clock_that_goes_back_opens_no_gate(draws: list[Draw], ann: User, bob: User, trades: Reconciliation) -> None:
    wrong(draws[:2], ann, bob)
    assert is_closed(trades)
    past = timezone.now() - dt.timedelta(days=400)
    assert standing_of(trades, past).is_closed and judge_gate(trades, past) is None
    Draw.objects.filter(pk=draws[2].pk).update(drawn_at=past)
    said(draws[2], ann, RIGHT)
    AuditAnswer.objects.filter(draw=draws[2]).update(answered_at=past)
    found = standing_of(trades, past)
    assert (found.answers, found.evidence, found.state) == (0, 1.0, "closed")
    assert closed_gate(trades) and GateStep.objects.count() == 1


def test_one_wrong_pass_in_many_leaves_the_gate_alone(
    draws: list[Draw], reconcile: Callable[..., Run], ann: User, bob: User, trades: Reconciliation
) -> None:
    reconcile(*rounded(8, first=4))
    for draw in Draw.objects.exclude(pk=draws[0].pk):
        said(draw, ann, RIGHT)
    wrong(draws[:1], ann, bob)
    found = standing_of(trades)
    assert (found.answers, found.wrong, found.waiting) == (12, 1, 0)
    assert found.evidence < 5 and not found.warns and not GateStep.objects.exists()


def test_a_run_pins_a_certificate_of_the_rung_that_is_in_force(
    draws: list[Draw], ann: User, bob: User, trades: Reconciliation, reconcile: Callable[..., Run]
) -> None:
    gated(trades, budget="0.10")
    now = timezone.now()
    model = ModelVersion.objects.create(
        reconciliation=trades, version=1, labels=1, artifact_sha256="0", trained_at=now, state="champion",
        promoted_at=now, promoted_by="manager",
    )  # fmt: skip
    held = {
        bound: Certificate.objects.create(
            model_version=model, bound=bound, threshold="0.9", sample_size=100, errors=0, upper=bound, delta="0.05",
            held_out=100, first_day=DAY, last_day=DAY, sample_sha256="0", made_at=now, valid_until=now + dt.timedelta(days=1),
        ).pk
        for bound in ("0.10", "0.05")
    }  # fmt: skip
    running = start_run(reconciliation=trades, business_date=DAY + dt.timedelta(days=1), by="test")
    assert running.certificate == held["0.10"]
    wrong(draws[:2], ann, bob)
    warrant = warrant_of(running, Rules(running.rule_set.document))
    assert warrant is not None and warrant.threshold is None and "the audits moved the gate since" in warrant.words
    assert start_run(reconciliation=trades, business_date=DAY, by="test").certificate == held["0.05"]
    Draw.objects.update(drawn_at=timezone.now())
    wrong(draws[2:], ann, bob)
    assert start_run(reconciliation=trades, business_date=DAY, by="test").certificate is None
