"""A budgeted gate: what it passes stands on a certificate, and without a valid one nothing passes."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from attribution import attribute, certificates
from attribution.cases import doubted_differences
from attribution.champions import roll_back
from attribution.models import Attribution, Certificate, Correction, Draw, ModelVersion
from attribution.training_table import training_table
from config.definitions.apply import apply_definition
from reconciliation.models import Break, GateRefusal, Reconciliation, RuleSet, Run
from reconciliation.rules import Rules
from reconciliation.session import session
from review.audits import answer_audit, differences_of
from tests.attribution.test_learning import day_of, passed, told, write_labels
from tests.conftest import DAY, DEFINITION, define_trades, problems, reconcile_rows, row
from tests.standing import lake_folder  # noqa: F401

BUDGETED = DEFINITION.replace("gate: {", 'gate: {budget: "0.05", ')


def give_budget(share: str, folder: Path) -> Reconciliation:
    """Give the gate of `trades` an error budget."""
    apply_definition(BUDGETED.replace("0.05", share), folder)
    return Reconciliation.objects.get(code="trades")


def train(folder: Path) -> None:
    """Label a day of 600 differing records, train and promote under a budget of 5 %."""
    define_trades(folder)
    left, right, truth = day_of(1, 600)
    first = reconcile_rows(give_budget("0.05", folder), folder, left, right)
    assert passed(first) == 0
    told("import_corrections", str(write_labels(folder / "labels.csv", truth)))
    told("train", "trades", promote=True)


@pytest.fixture(scope="module")
def made(once: Callable[[Callable[[Path], None]], None]) -> None:
    """A trained model with its certificates."""
    once(train)


@pytest.fixture
def budget(db: None, tmp_path: Path) -> Callable[[str], Reconciliation]:
    """Give the gate of `trades` another error budget."""
    return lambda share: give_budget(share, tmp_path)


@pytest.fixture
def trained(made: None, db: None, tmp_path: Path) -> Callable[[int], Run]:
    """A function that runs another day under the trained model."""

    def run(number: int) -> Run:
        trades = Reconciliation.objects.get(code="trades")
        return reconcile_rows(trades, tmp_path, *day_of(number, 40)[:2], DAY.replace(day=20 + number))

    return run


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
    assert (five.first_day, five.last_day, five.starts) == (DAY, DAY, {"ACCRUAL_DIFF": five.threshold})
    assert five.money["EUR"][1] == "0"
    run = trained(2)
    assert run.certificate == five.pk
    fees = Attribution.objects.filter(run=run, reason="ACCRUAL_DIFF")
    assert passed(run) == fees.count() > 10
    assert {it.functional_share >= five.threshold for it in fees} == {True}
    assert Break.objects.filter(last_run=run, state="review").count() == 40 - passed(run)
    assert problems() == []


def test_a_reason_passes_from_its_own_score_on(trained: Callable[[int], Run]) -> None:
    Certificate.objects.update(reasons={"ACCRUAL_DIFF": "1.0000000"})
    run = trained(2)
    refusal = GateRefusal.objects.filter(brk__last_run=run, sentence__contains="ACCRUAL_DIFF").first()
    assert refusal is not None and passed(run) == 0
    assert refusal.sentence.endswith(": ACCRUAL_DIFF goes to a person below 100.0 %")
    assert refusal.detail.endswith(" % for any functional reason; from more on the certificate speaks for it")


def test_a_certificate_of_before_names_its_reasons_only(trained: Callable[[int], Run]) -> None:
    Certificate.objects.update(reasons=["ACCRUAL_DIFF"])
    assert passed(trained(2)) > 10


def test_without_a_model_a_budgeted_gate_passes_nothing(
    trained: Callable[[int], Run], budget: Callable[[str], Reconciliation], person: Callable[[str], User]
) -> None:
    roll_back(reconciliation=budget("0.10"), by=person("Manager"))
    run = trained(2)
    assert (run.certificate, passed(run), why(run)) == (None, 0, {"no model speaks in this run"})


def test_a_stricter_budget_than_the_labels_prove_passes_nothing(
    trained: Callable[[int], Run], budget: Callable[[str], Reconciliation]
) -> None:
    budget("0.02")
    run = trained(2)
    assert (run.certificate, passed(run)) == (None, 0)
    assert why(run) == {"model 1 held none that was valid when the run began"}


def test_a_laxer_budget_takes_the_laxer_certificate(
    trained: Callable[[int], Run], budget: Callable[[str], Reconciliation]
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


def test_what_no_label_resembles_is_unknown(made: None, db: None, tmp_path: Path) -> None:
    trades, odd = Reconciliation.objects.get(code="trades"), row("N-1")
    run = reconcile_rows(trades, tmp_path, [odd], [odd.replace("EUR", "USD")], DAY.replace(day=27))
    said = Attribution.objects.get(run=run)
    assert (said.reason_id, said.functional, said.assigned_by, passed(run)) == ("UNKNOWN", None, "model:1", 0)
    assert said.candidates.count() > 0  # type: ignore[attr-defined]
    refusal = GateRefusal.objects.get(brk__last_run=run, condition="reason:currency")
    assert refusal.sentence == "currency: nothing explains the difference"
    assert refusal.detail.startswith("No label ")


def test_a_gate_without_a_budget_holds_no_labels_back(
    trained: Callable[[int], Run], budget: Callable[[str], Reconciliation]
) -> None:
    budget("none")
    told("train", "trades", promote=True)
    model = ModelVersion.objects.get(version=2)
    assert not model.certificates.exists()  # type: ignore[attr-defined]
    run = trained(2)
    assert (run.model_version, run.certificate) == ("2", None)
    assert passed(run) > 10


def test_a_run_says_what_it_leans_on(
    trained: Callable[[int], Run], person: Callable[[str], User], client: Client
) -> None:
    run = trained(2)
    client.force_login(person("Auditor"))
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "trades model 1: from 9" in page and "are wrong (0 of " in page
    answer = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert (answer["model_version"], answer["certificate"]) == ("1", run.certificate)
    assert run.reconciliation.model_versions.get().certificates.filter(pk=answer["certificate"]).exists()  # type: ignore[attr-defined]


def test_labels_that_wait_for_a_second_opinion_count_as_wrong(trained: Callable[[int], Run]) -> None:
    fees = Correction.objects.filter(reason="ACCRUAL_DIFF").order_by("-difference__brk__key")
    for label in fees[:60]:
        label.reason_id, label.active, label.waiting_since = "MANUAL_ENTRY_ERR", False, timezone.now()
        label.save()
    told("train", "trades")
    model = ModelVersion.objects.get(version=2)
    assert model.labels == 540
    errors = {it.errors for it in model.certificates.all()}  # type: ignore[attr-defined]
    assert not model.certificates.filter(bound__lte="0.05").exists() and 0 not in errors  # type: ignore[attr-defined]


def test_a_doubted_pass_counts_as_wrong_until_somebody_finds_it_right(
    trained: Callable[[int], Run], person: Callable[[str], User]
) -> None:
    trades = Reconciliation.objects.get(code="trades")
    run, ann, bob = trained(2), person("Analyst"), person("Supervisor")
    draws = list(Draw.objects.filter(run=run, purpose="audit").order_by("pk"))
    right = {draw: {it.pk: "ACCRUAL_DIFF" for it in differences_of(draw)} for draw in draws}
    doubted = {draw: {it.pk for it in differences_of(draw)} for draw in draws[:3]}
    answer_audit(draw=draws[0], by=ann, reasons=dict.fromkeys(right[draws[0]], "MANUAL_ENTRY_ERR"))
    answer_audit(draw=draws[1], by=ann, reasons=None)
    answer_audit(draw=draws[2], by=ann, reasons=None)
    for draw in draws[3:]:
        answer_audit(draw=draw, by=ann, reasons=right[draw])
    assert set(doubted_differences(trades)) == set.union(*doubted.values())

    def held_out() -> tuple[int, int]:
        with session("doubts") as (duck, _):
            table = training_table(
                duck, trades, Rules(RuleSet.objects.filter(reconciliation=trades).latest("version").document)
            )
        audited = table.waiting[table.waiting["drawn"] == "audit"]
        assert set(audited["reason"]) <= {"UNKNOWN"} and audited["is_whole"].all()
        return len(audited), len(table.rows)

    before = held_out()
    assert before == (3, 600 + len(draws) - 3)
    answer_audit(draw=draws[2], by=bob, reasons=right[draws[2]])
    assert held_out() == (2, before[1] + 1)
    answer_audit(draw=draws[1], by=bob, reasons=None)
    assert held_out() == (2, before[1] + 1)  # nobody could tell
    answer_audit(draw=draws[0], by=bob, reasons=dict.fromkeys(right[draws[0]], "MANUAL_ENTRY_ERR"))
    assert held_out() == (1, before[1] + 2)  # an error that two people named teaches
