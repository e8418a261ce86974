"""The learned model's path: import labels, train, promote, roll back; what runs pass meanwhile."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from attribution.candidate import learn as learn_table
from attribution.cases import unnamed_differences
from attribution.models import Attribution, Correction, ModelVersion, Reason
from attribution.trainer import ask_training
from attribution.training import BY_HAND, train_model
from attribution.training_table import training_table
from config.demo_learning import learn
from config.pipeline import run_to_end
from config.tasks import train
from reconciliation.models import Break, Difference, GateRefusal, Reconciliation, Run
from reconciliation.rules import Rules
from reconciliation.runs import start_run
from reconciliation.session import session
from tests.conftest import DAY, problems, reconcile_rows, row

EXAMPLE = Path(__file__).parents[2] / "examples" / "learned"
FEES = ("Brokers", "Acme")  # Brokers keeps a fee, which no prover knows; Acme's amounts are typed wrongly


def told(*words: str, **options: object) -> str:
    """What a command says."""
    out = StringIO()
    call_command(*words, stdout=out, stderr=out, **options)
    return out.getvalue()


def day_of(number: int, rows: int = 160) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """A day's rows of A and B, and the truth as (key, reason): fees at one party, wrong amounts at another."""
    rng = random.Random(number)
    left, right, truth = [], [], []
    for n in range(rows):
        key, amount, party = f"D{number}-{n}", rng.randrange(10_000, 90_000), rng.choice(FEES)
        apart = 250 if party == "Brokers" else rng.randrange(1_000, 9_000)
        left.append(row(key, f"{amount / 100:.2f}", party=party))
        right.append(row(key, f"{(amount - apart) / 100:.2f}", party=party))
        truth.append((key, "ACCRUAL_DIFF" if party == "Brokers" else "MANUAL_ENTRY_ERR"))
    return left, right, truth


def write_labels(file: Path, truth: list[tuple[str, str]], field: str = "amount") -> Path:
    """A file of labels of `trades`."""
    lines = [f"trades,{key},{field},{reason}" for key, reason in truth]
    file.write_text("\n".join(["reconciliation,key,field,reason", *lines]) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def labels(tmp_path: Path) -> Callable[..., Path]:
    """A file of labels of `trades`."""
    return lambda truth, field="amount": write_labels(tmp_path / "labels.csv", truth, field)


def run_day(trades: Reconciliation, folder: Path, number: int, rows: int) -> Run:
    """Run a day of `trades`."""
    return reconcile_rows(trades, folder, *day_of(number, rows)[:2], DAY.replace(day=20 + number))


def learn_day(trades: Reconciliation, folder: Path, number: int = 1, rows: int = 160) -> Reconciliation:
    """Run a day of `trades` and import the truth of it."""
    left, right, truth = day_of(number, rows)
    reconcile_rows(trades, folder, left, right)
    told("import_corrections", str(write_labels(folder / "labels.csv", truth)))
    return trades


def train_day(trades: Reconciliation, folder: Path) -> ModelVersion:
    """A candidate from forty labels."""
    return train_model(reconciliation=learn_day(trades, folder, rows=40), by="ann")


@pytest.fixture
def model(trades: Reconciliation, tmp_path: Path) -> ModelVersion:
    """A candidate from forty labels."""
    return train_day(trades, tmp_path)


@pytest.fixture
def learned(trades: Reconciliation, tmp_path: Path) -> Callable[[int], Run]:
    """Run a day, import its truth; then a function that runs another one."""
    learn_day(trades, tmp_path)
    return lambda number: run_day(trades, tmp_path, number, 40)


def passed(run: Run) -> int:
    """How many of the run's differing records passed without a person."""
    return Break.objects.filter(last_run=run, state=Break.State.PASSED).count()


def test_a_promoted_model_passes_more_and_a_rolled_back_one_less(
    define: Callable[[str], object], deliver: Callable[..., object], person: Callable[..., User]
) -> None:
    define((EXAMPLE / "definition.yaml").read_text(encoding="utf-8"))

    def run_day(invoices: Reconciliation, day: dt.date, a: Path, b: Path) -> Run:
        done = Run.objects.filter(reconciliation=invoices, business_date=day).first()
        for source, file in (("invoices", a), ("bank_entries", b)) if done is None else ():
            deliver(source, file, day)
        return done or run_to_end(start_run(reconciliation=invoices, business_date=day, by="test"))

    walk = [line.strip() for line in learn(EXAMPLE, run_day, person("Manager"))]
    alone, trained, promoted, back, turned, told = walk
    assert alone == "Invoices, day 1, the provers alone: 38 of 120 differing records pass."
    assert "model 1, champion, 120 labels" in trained
    assert promoted == "Day 2, model 1 promoted: 65 of 120 differing records pass."
    assert back == "Day 3, rolled back: 35 of 120 differing records pass."
    assert turned.startswith("Day 4, one bank turns every sign: ")
    assert ": 42 breaks of SIGN_FLIP, amount, B below A by 10,000 to 100,000, bank Unionbank" in told
    said = Attribution.objects.filter(assigned_by="model:1", reason="BANK_FEE", functional=True, confidence__gt=0.9)
    assert said.count() > 20
    assert "were BANK_FEE: " in said[0].candidates.all()[0].evidence
    rounded = Attribution.objects.filter(assigned_by="model:1", reason="ROUNDING_DIFF")
    proofs = set(rounded.exclude(proof="").values_list("proof", flat=True))
    assert proofs == {"B is A rounded to 0 places."}
    assert [line.strip() for line in learn(EXAMPLE, run_day, person("Manager", "other"))][2:] == walk[
        2:
    ]  # again, nothing new
    assert problems() == []


def test_the_same_labels_give_the_same_bytes(learned: Callable[[int], Run]) -> None:
    told("train", "trades")
    told("train", "trades", promote=True)
    first, second = ModelVersion.objects.order_by("version")
    assert first.artifact_sha256 == second.artifact_sha256
    assert (second.state, second.promoted_by) == ("champion", "command")


def test_a_reason_out_of_use_is_never_named(learned: Callable[[int], Run]) -> None:
    trades = Reconciliation.objects.get()
    train(ask_training(reconciliation=trades, because=BY_HAND, by="ann").pk)  # the task of the queue
    told("models", "trades", promote=1)
    Reason.objects.filter(code="ACCRUAL_DIFF").update(active=False)
    run = learned(2)
    assert passed(run) == 0
    assert Attribution.objects.filter(run=run, reason="UNKNOWN", assigned_by="model:1").count() > 10
    assert not Attribution.objects.filter(run=run, candidates__reason="ACCRUAL_DIFF").exists()


def test_what_nobody_labelled_is_learned_from_too(learned: Callable[[int], Run]) -> None:
    run = learned(2)
    rules = Rules(run.rule_set.document)
    with session("unnamed") as (duck, _):
        table = training_table(duck, run.reconciliation, rules)
    found = Difference.objects.filter(run=run, brk__kind=Break.Kind.DIFFERING)
    assert len(table.unnamed) == found.count() > 10
    assert (
        not {"reason", "record", "drawn"} & set(table.unnamed.columns) and len(table.rows) == Correction.objects.count()
    )
    taught, alone = (learn_table(it, rules).artifact for it in (table, replace(table, unnamed=table.unnamed[:0])))
    assert taught != alone and taught == learn_table(table, rules).artifact
    Correction.objects.create(
        difference=found[0], reason_id="ACCRUAL_DIFF", confirmed_by="ann", confirmed_at=run.created_at
    )
    assert found[0].pk not in unnamed_differences(run.reconciliation, 1_000)
    assert len(unnamed_differences(run.reconciliation, 1_000)) == found.count() - 1
    assert len(unnamed_differences(run.reconciliation, 3)) == 2  # the newest of three has a label now


def test_a_model_that_is_gone_passes_nothing(learned: Callable[[int], Run], lake: Path) -> None:
    told("train", "trades", promote=True)
    artifact = next((lake / "models").iterdir())
    artifact.write_bytes(artifact.read_bytes()[:-1])
    run = learned(2)
    assert (run.state, passed(run)) == ("done", 0)
    refusal = GateRefusal.objects.filter(brk__last_run=run, condition="model").first()
    assert refusal is not None
    assert refusal.sentence == "Model 1 of this run can be read"
    assert "was changed. Restore it from a backup" in refusal.detail
    assert GateRefusal.objects.filter(brk__last_run=run, condition="model").count() == 40
    assert [it[:15] for it in problems()] == ["trades model 1:"]
    told("train", "trades")
    made = ModelVersion.objects.get(version=2)
    (lake / "models" / made.artifact_sha256).write_bytes(b"")
    with pytest.raises(CommandError, match="cannot be promoted"):
        told("models", "trades", promote=2)
