"""The learned model on a world whose truth is known: near the best that can be, the same after a walk through bytes."""

import numpy as np
import pandas as pd
import pytest

from attribution.artifact import BadArtifact, from_bytes, to_bytes
from attribution.evidence_lines import Line
from attribution.features import value_features
from attribution.learned import Columns, Model, train
from tests.simulation.world import REASONS, Sample, World

COLUMNS = Columns(
    ("field", "kind", "source", "product", "claim"), ("counterparty", "trader", "source", "product", "field")
)
LINES = (Line("amount", "", "NETTING", "", "", 0, 9, 12, 12, 0.7),)


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Differences of one world, without provers."""
    drawn = World(1).draw(4_000, 5)
    drawn.rows["claim"] = ""
    return drawn


@pytest.fixture(scope="module")
def model(sample: Sample) -> Model:
    """Trained on the first half."""
    return train(sample.rows.iloc[:2_000], sample.cause[:2_000], REASONS, COLUMNS)


def test_it_comes_near_to_the_best_that_can_be(sample: Sample, model: Model) -> None:
    later, truth = sample.rows.iloc[2_000:], sample.posterior[2_000:]
    found = model.probabilities(later)
    right = truth[np.arange(len(truth)), found.argmax(axis=1)].mean()
    assert right > truth.max(axis=1).mean() - 0.1
    assert abs(found.max(axis=1).mean() - right) < 0.03
    assert found.sum(axis=1) == pytest.approx(np.ones(len(truth)))


def test_it_is_the_same_after_a_walk_through_bytes(sample: Sample, model: Model) -> None:
    made = to_bytes(model, LINES)
    again, lines = from_bytes(made)
    rows = sample.rows.iloc[2_000:2_100]
    assert np.array_equal(again.probabilities(rows), model.probabilities(rows))
    assert lines == LINES
    assert to_bytes(again, lines) == made
    for bad in (b"", made[:40], made[:-1], b"\xff" * 100, made.replace(b'"format": 6', b'"format": 5')):
        with pytest.raises(BadArtifact):
            from_bytes(bad)


def test_strange_values_do_no_harm(sample: Sample, model: Model) -> None:
    rows = sample.rows.iloc[:8].copy()
    rows["kind"] = ["number"] * 4 + ["date"] * 2 + ["text"] * 2
    rows["value_a"] = ["1e400", "NaN", None, "0", "9999-99-99", "0001-01-01", "\ud800x", "a" * 5_000]
    rows["value_b"] = ["-1e400", "Infinity", "7", "0.0", "2026-01-01", "9999-12-31", None, "\0"]
    rows[["counterparty", "claim", "field"]] = "never seen"
    found = model.probabilities(rows)
    assert np.isfinite(found).all()
    assert np.isfinite(value_features(rows).to_numpy()[:, :4]).all()


def test_two_labels_of_a_reason_are_enough_to_go_on(sample: Sample) -> None:
    few: pd.DataFrame = sample.rows.iloc[:40]
    found = train(few, np.array([0] * 38 + [1] * 2), REASONS[:2], COLUMNS).probabilities(few)
    assert found.shape == (40, 2)
