"""The trainer: asked by hand, on schedule and after new corrections, one at a time, refused in a sentence, recovered when killed."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from attribution import training as trainings
from attribution.models import ChampionChange, Correction, ModelVersion, Training
from attribution.promotion import verdict_of
from attribution.registry import champion_of
from attribution.trainer import ask_after_corrections, ask_training, new_corrections, train_asked, train_now
from attribution.training import BY_HAND, TrainingRefused
from config import tasks
from ingestion.changes import save_named
from ingestion.clock import database_now
from ingestion.schedules import TRAIN, put_schedule
from reconciliation.models import Reconciliation, Run
from tests.attribution.test_learning import day_of, labels, learn_day, told  # noqa: F401 - a fixture
from tests.conftest import problems
from tests.standing import standing_trades  # noqa: F401

Labelled = Callable[..., Reconciliation]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Trainings whose message was sent; none goes anywhere."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.train, "delay", ids.append)
    return ids


@pytest.fixture
def labelled(trades: Reconciliation, tmp_path: Path) -> Labelled:
    """Run a day of `trades` and import the truth of it."""

    return lambda number=1, rows=40: learn_day(trades, tmp_path, number, rows)


def test_enough_new_corrections_start_one_training(labelled: Labelled, sent: list[int]) -> None:
    trades = labelled()
    assert (new_corrections(trades), ask_after_corrections()) == (40, [])  # 100 are enough
    save_named(Reconciliation, "trades", {"trains_after": 40})
    tasks.watch_training()
    tasks.watch_training()  # one is under way
    training = Training.objects.get()
    assert (sent, training.because) == ([training.pk], "40 new corrections since the last training")
    tasks.train(training.pk)
    model = ModelVersion.objects.get()
    assert (model.trained_because, model.trained_by) == (training.because, "tieout")
    training.refresh_from_db()
    assert (training.state, training.model) == ("done", model)
    assert (new_corrections(trades), ask_after_corrections()) == (0, [])
    tasks.train(training.pk)  # the message comes twice
    assert ModelVersion.objects.count() == 1
    assert problems() == []


def test_zero_corrections_mean_never(labelled: Labelled, sent: list[int]) -> None:
    labelled()
    save_named(Reconciliation, "trades", {"trains_after": 0})
    tasks.watch_training()
    assert sent == []


def test_a_schedule_trains_once_at_its_due_time(labelled: Labelled, sent: list[int]) -> None:
    trades = labelled()
    put_schedule(task=TRAIN, code=trades.code, text="every day")
    tasks.train_on_schedule(trades.code)
    tasks.train_on_schedule(trades.code)
    assert sent == [Training.objects.get(because="on schedule").pk]


def test_a_refused_schedule_says_nothing_and_leaves_nothing(trades: Reconciliation, sent: list[int]) -> None:
    put_schedule(task=TRAIN, code=trades.code, text="every day")
    tasks.train_on_schedule(trades.code)
    tasks.watch_training()
    assert (sent, Training.objects.count()) == ([], 0)


def test_of_two_trainings_one_runs_and_the_other_says_so(labelled: Labelled) -> None:
    trades = labelled()
    training = ask_training(reconciliation=trades, because=BY_HAND, by="ann")
    with pytest.raises(
        TrainingRefused, match=r"trades is being trained already \(by hand, asked for by ann at \d\d:\d\d UTC"
    ):
        ask_training(reconciliation=trades, because=BY_HAND, by="bob")
    with pytest.raises(IntegrityError, match="training_one_of_a_reconciliation"), transaction.atomic():
        Training.objects.create(
            reconciliation=trades, asked_by="bob", asked_at=database_now(), corrections_to=0, queue="training"
        )
    Training.objects.filter(pk=training.pk).update(
        state="running", lease_until=database_now() + dt.timedelta(minutes=1)
    )
    with pytest.raises(CommandError, match="asked for by ann"):
        told("train", "trades")
    assert ModelVersion.objects.count() == 0


def test_a_killed_trainer_leaves_nothing_and_another_goes_on(
    labelled: Labelled, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = labelled()
    training = ask_training(reconciliation=trades, because=BY_HAND, by="ann")
    with monkeypatch.context() as patch:  # killed after the artifact is written, before the model is registered
        patch.setattr(trainings, "champion_of", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train_asked(training)
    Training.objects.filter(pk=training.pk).update(
        state="running", lease_until=database_now() - dt.timedelta(minutes=1)
    )
    assert ModelVersion.objects.count() == 0
    tasks.sweep()
    assert sent == [training.pk]
    tasks.train(training.pk)
    training.refresh_from_db()
    assert (training.state, training.attempts, training.model) == ("done", 2, ModelVersion.objects.get())
    assert problems() == []


def test_a_training_that_another_took_over_registers_nothing(labelled: Labelled) -> None:
    training = ask_training(reconciliation=labelled(), because=BY_HAND, by="ann")
    train_model = trainings._trained

    def slow(*given: object) -> object:
        Training.objects.update(fence=7)  # another trainer has it by now
        return train_model(*given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainings, "_trained", slow)
        tasks.train(training.pk)
    assert ModelVersion.objects.count() == 0


@pytest.mark.parametrize(
    ("rows", "reasons", "sentence"),
    [
        (0, None, "trades has no labels to learn from. Decide breaks, or import labels"),
        (10, None, "trades has 10 labels; a model learns from 30 at least. 20 more are needed."),
        (40, "ACCRUAL_DIFF", "All 40 labels of trades say ACCRUAL_DIFF. A model learns from two reasons at least."),
    ],
)  # fmt: skip
def test_too_little_to_learn_from_is_a_sentence(
    reconcile: Callable[..., Run],
    trades: Reconciliation,
    labels: Callable[..., Path],  # noqa: F811
    rows: int,
    reasons: str | None,
    sentence: str,
) -> None:
    if rows:
        left, right, truth = day_of(1, rows)
        reconcile(left, right)
        told("import_corrections", str(labels([(key, reasons or reason) for key, reason in truth])))
    with pytest.raises(CommandError, match=sentence):
        told("train", "trades")
    assert Training.objects.count() == 0


def test_labels_that_went_meanwhile_refuse_in_the_queue(
    labelled: Labelled,
) -> None:
    training = ask_training(reconciliation=labelled(), because=BY_HAND, by="ann")
    Correction.objects.filter(pk__in=list(Correction.objects.values_list("pk", flat=True)[:20])).update(active=False)
    tasks.train(training.pk)
    training.refresh_from_db()
    assert (training.state, training.error[:22]) == ("failed", "trades has 20 labels; ")


def test_a_model_is_promoted_by_the_rule_where_that_is_wanted(labelled: Labelled) -> None:
    trades = labelled()
    train_now(reconciliation=trades, by="ann")
    assert champion_of(trades) is None  # off by itself
    save_named(Reconciliation, "trades", {"promotes_by_rule": True})
    trades.refresh_from_db()
    made = train_now(reconciliation=trades, by="ann")
    assert (champion_of(trades), ChampionChange.objects.get().by) == (made, "rule")
    again = train_now(reconciliation=trades, by="ann")  # the same labels: the champion knows them all
    assert again.metrics["challenge"]["learned"] == again.metrics["challenge"]["labels"]
    if not verdict_of(again).allows:
        assert champion_of(trades) == made
    assert problems() == []
