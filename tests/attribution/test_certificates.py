"""A budgeted gate: what it passes stands on a certificate, and without a valid one nothing passes."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from attribution import attribute, certificates
from attribution.models import Attribution, Certificate, ModelVersion
from reconciliation.models import Break, GateRefusal, Reconciliation, Run
from tests.attribution.test_learning import day_of, labels, passed, told
from tests.conftest import DAY, DEFINITION, problems, row

__all__ = ["labels"]
BUDGETED = DEFINITION.replace("gate: {", 'gate: {budget: "0.05", ')


@pytest.fixture
def budget(trades: Reconciliation, define: Callable[[str], object]) -> Callable[[str], None]:
    """Give the gate of `trades` an error budget."""

    def give(share: str) -> None:
        define(BUDGETED.replace("0.05", share))
        trades.refresh_from_db()

    return give


@pytest.fixture
def trained(
    trades: Reconciliation,
    budget: Callable[[str], None],
    reconcile: Callable[..., Run],
    labels: Callable[..., Path],
) -> Callable[[int], Run]:
    """Label a day of 600 differing records, train and promote under a budget of 5 %; then a function that runs another day."""
    budget("0.05")
    left, right, truth = day_of(1, 600)
    first = reconcile(left, right)
    assert passed(first) == 0
    told("import_corrections", str(labels(truth)))
    told("train", "trades", promote=True)
    return lambda number: reconcile(*day_of(number, 40)[:2], DAY.replace(day=20 + number))


def why(run: Run) -> set[str]:
    """What the gate says of its certificate where it holds a record back."""
    return set(GateRefusal.objects.filter(brk__last_run=run, condition="certificate").values_list("detail", flat=True))


def test_a_certificate_lets_records_pass(trained: Callable[[int], Run]) -> None:
    model = ModelVersion.objects.get()
    ladder = {str(it.bound): it for it in model.certificates.all()}
    assert set(ladder) == {"0.100", "0.050"}
    five = ladder["0.050"]
    assert five.errors == 0 and 80 <= five.sample_size < five.held_out == 240
    assert 0.90 <= five.threshold < 1 and five.upper <= five.bound
    assert (five.first_day, five.last_day, five.reasons) == (DAY, DAY, ["ACCRUAL_DIFF"])
    assert five.money["EUR"][1] == "0"
    run = trained(2)
    assert run.certificate == five.pk
    fees = Attribution.objects.filter(run=run, reason="ACCRUAL_DIFF")
    assert passed(run) == fees.count() > 10
    assert {it.functional_share >= five.threshold for it in fees} == {True}
    assert Break.objects.filter(last_run=run, state="review").count() == 40 - passed(run)
    assert problems() == []


def test_without_a_model_a_budgeted_gate_passes_nothing(
    trades: Reconciliation, budget: Callable[[str], None], reconcile: Callable[..., Run]
) -> None:
    budget("0.10")
    run = reconcile(*day_of(1, 10)[:2])
    assert (run.certificate, passed(run), why(run)) == (None, 0, {"no model speaks in this run"})


def test_a_stricter_budget_than_the_labels_prove_passes_nothing(
    trained: Callable[[int], Run], budget: Callable[[str], None]
) -> None:
    budget("0.02")
    run = trained(2)
    assert (run.certificate, passed(run)) == (None, 0)
    assert why(run) == {"model 1 held none that was valid when the run began"}


def test_a_laxer_budget_takes_the_laxer_certificate(
    trained: Callable[[int], Run], budget: Callable[[str], None]
) -> None:
    budget("0.10")
    assert Certificate.objects.get(pk=trained(2).certificate).bound == Decimal("0.100")


def test_a_certificate_ends(trained: Callable[[int], Run]) -> None:
    now = timezone.now()
    Certificate.objects.update(made_at=now - dt.timedelta(days=31), valid_until=now - dt.timedelta(days=1))
    run = trained(2)
    assert (run.certificate, passed(run)) == (None, 0)


def test_a_certificate_that_ends_while_its_run_waits_passes_nothing(
    trained: Callable[[int], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = timezone.now() + dt.timedelta(days=40)

    def later(run: Run, rules: object) -> object:
        with monkeypatch.context() as clock:
            clock.setattr(certificates.timezone, "now", lambda: ended)
            return certificates.warrant_of(run, rules)  # type: ignore[arg-type]

    monkeypatch.setattr(attribute, "warrant_of", later)
    run = trained(2)
    assert run.certificate is not None and passed(run) == 0
    assert " ended on " in why(run).pop()


def test_a_clock_that_goes_back_finds_no_certificate_from_the_future(trained: Callable[[int], Run]) -> None:
    Certificate.objects.update(made_at=timezone.now() + dt.timedelta(days=1))
    run = trained(2)
    assert (run.certificate, passed(run)) == (None, 0)


def test_what_no_label_resembles_is_unknown(trained: Callable[[int], Run], reconcile: Callable[..., Run]) -> None:
    run = reconcile([row("N-1")], [row("N-1").replace("EUR", "USD")], DAY.replace(day=27))
    said = Attribution.objects.get(run=run)
    assert (said.reason_id, said.functional, said.assigned_by, passed(run)) == ("UNKNOWN", None, "model:1", 0)
    assert said.candidates.count() > 0  # type: ignore[attr-defined]
    refusal = GateRefusal.objects.get(brk__last_run=run, condition="reason:currency")
    assert refusal.sentence == "currency: nothing explains the difference"
    assert refusal.detail.startswith("No label ")


def test_a_gate_without_a_budget_holds_no_labels_back(
    reconcile: Callable[..., Run], labels: Callable[..., Path], trades: Reconciliation
) -> None:
    left, right, truth = day_of(1, 320)
    reconcile(left, right)
    told("import_corrections", str(labels(truth)))
    told("train", "trades", promote=True)
    assert not Certificate.objects.exists()
    run = reconcile(*day_of(2, 40)[:2], DAY.replace(day=22))
    assert run.certificate is None and passed(run) > 10
