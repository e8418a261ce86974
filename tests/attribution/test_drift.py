"""Drift: told of a run whose mix moved, once, with a training where there is something to learn; silent where chance moved it."""

from collections.abc import Callable

import numpy as np

from attribution.drift import drift_panel, settle_drift
from attribution.mixes import OTHER, added, within
from attribution.models import ModelVersion, RunDrift, Training
from attribution.statistics.stability import MOVED, move
from ingestion.models import Alert
from reconciliation.models import Run
from tests.attribution.test_learning import day_of, labels, learned, told  # noqa: F401 - fixtures
from tests.attribution.test_trainer import Labelled, labelled  # noqa: F401 - a fixture
from tests.conftest import DAY, problems, row


def test_the_index_is_the_known_one_and_chance_seldom_passes_the_limit() -> None:
    told_of = move({"a": 5000, "b": 5000}, {"a": 8000, "b": 2000})
    assert (round(told_of.index, 3), told_of.limit, told_of.is_clear) == (0.416, MOVED, True)
    rng = np.random.default_rng(3)
    shares = np.full(10, 0.1)
    draws = [
        [dict(zip("abcdefghij", map(int, rng.multinomial(size, shares)), strict=True)) for size in (30, 60)]
        for _ in range(500)
    ]
    assert sum(move(*pair).is_clear for pair in draws) <= 5
    assert not move({"a": 3}, {}).is_clear


def test_what_the_reference_does_not_name_is_one_category() -> None:
    assert within({"a": 3, OTHER: 1}, {"a": 2, "b": 1, "c": 4}) == {"a": 2, OTHER: 5}
    assert added({"x": {"a": 1}}, {"x": {"a": 2, "b": 1}, "y": {"c": 1}}) == {"x": {"a": 3, "b": 1}, "y": {"c": 1}}


def test_a_run_like_the_labels_is_calm_and_another_one_alarms_once(
    labelled: Labelled,  # noqa: F811
    reconcile: Callable[..., Run],  # noqa: F811
) -> None:
    trades = labelled(1, 400)
    told("train", "trades", promote=True)
    model = ModelVersion.objects.get()
    run = reconcile(*day_of(2, 150)[:2], DAY.replace(day=23))
    (calm,) = drift_panel(model)
    assert (calm["run"], calm["alarm"], calm["figures"]["reasons"]["sample"]) == (run.pk, "", 150)
    assert settle_drift(run) is None

    def odd(day: int) -> Run:  # one party that no label knows
        left = [row(f"O{day}-{n}", f"{100 + n}.00", party="Unheard") for n in range(150)]
        right = [row(f"O{day}-{n}", f"{97 + n}.50", party="Unheard") for n in range(150)]
        return reconcile(left, right, DAY.replace(day=day))

    alarmed = odd(24)
    newest = drift_panel(model)[0]
    party = next(name for name in newest["figures"] if "party" in name)
    assert newest["run"] == alarmed.pk and party in newest["alarm"]
    assert newest["figures"][party]["new"] == 1.0
    assert "trades model 1 meets has moved" in Alert.objects.get(event="model.drift").sentence
    assert Training.objects.count() == 1  # nothing new to learn from, so none is asked for
    odd(25)
    assert Alert.objects.filter(event="model.drift").count() == 1
    reconcile(*day_of(3, 150)[:2], DAY.replace(day=26))
    assert Alert.objects.get(event="model.drift").cleared_at is not None
    labelled(4, 40)
    odd(27)
    assert Training.objects.first().because.startswith("drift alarm in run ")  # type: ignore[union-attr]
    assert RunDrift.objects.filter(figures__isnull=False).count() >= 5
    assert trades.trainings.filter(state="ready").count() == 1  # type: ignore[attr-defined]
    assert problems() == []
