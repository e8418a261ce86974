"""The learned model's path: import labels, train, promote, roll back; what runs pass meanwhile."""

import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from attribution.models import Attribution, ModelVersion
from attribution.registry import pinned_code
from reconciliation.models import Break, Difference, GateRefusal, Reconciliation, Run
from tests.conftest import DAY, problems, row

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


@pytest.fixture
def labels(tmp_path: Path) -> Callable[..., Path]:
    """A file of labels of `trades`."""

    def write(truth: list[tuple[str, str]], field: str = "amount") -> Path:
        file = tmp_path / "labels.csv"
        lines = [f"trades,{key},{field},{reason}" for key, reason in truth]
        file.write_text("\n".join(["reconciliation,key,field,reason", *lines]) + "\n", encoding="utf-8")
        return file

    return write


@pytest.fixture
def learned(reconcile: Callable[..., Run], labels: Callable[..., Path]) -> Callable[[int], Run]:
    """Run a day, import its truth; then a function that runs another one."""
    left, right, truth = day_of(1)
    reconcile(left, right)
    told("import_corrections", str(labels(truth)))
    return lambda number: reconcile(*day_of(number, 40)[:2], DAY.replace(day=20 + number))


def passed(run: Run) -> int:
    """How many of the run's differing records passed without a person."""
    return Break.objects.filter(last_run=run, state=Break.State.PASSED).count()


def test_a_promoted_model_passes_more_and_a_rolled_back_one_less(
    learned: Callable[[int], Run], trades: Reconciliation
) -> None:
    assert "trades model 1, candidate, 160 labels" in told("train", "trades")
    assert pinned_code(trades) == ""  # a candidate does not speak
    told("models", "trades", promote=1)
    run = learned(2)
    fees = Difference.objects.filter(brk__last_run=run, brk__members__record__party="Brokers", brk__members__side="a")
    assert run.model_version == "1"
    assert 10 < fees.count() - 2 <= passed(run) <= fees.count()  # one or two look like nothing that has a label
    best = Attribution.objects.filter(run=run, functional=True).first()
    assert best is not None
    assert (best.reason_id, best.assigned_by, best.confidence > 0.9) == ("ACCRUAL_DIFF", "model:1", True)
    assert "of differences of amount" in best.candidates.all()[0].evidence
    assert Attribution.objects.filter(run=run, reason="MANUAL_ENTRY_ERR", assigned_by="model:1").count() > 10
    told("models", "trades", roll_back=True)
    last = learned(3)
    assert (last.model_version, passed(last)) == ("", 0)
    assert problems() == []


def test_the_same_labels_give_the_same_bytes(learned: Callable[[int], Run]) -> None:
    told("train", "trades")
    told("train", "trades", promote=True)
    first, second = ModelVersion.objects.order_by("version")
    assert first.artifact_sha256 == second.artifact_sha256
    assert (second.state, second.promoted_by) == ("champion", "command")


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
    told("train", "trades")
    artifact.write_bytes(b"")
    with pytest.raises(CommandError, match="cannot be promoted"):
        told("models", "trades", promote=2)
