"""What weighs adds up to the margin, and the features that are shown weigh most."""

import numpy as np
import pytest

from attribution.contributions import TOP, weigh
from attribution.learned import Model, train
from tests.attribution.test_learned import COLUMNS
from tests.simulation.world import REASONS, Sample, World


@pytest.fixture(scope="module")
def sample() -> Sample:
    drawn = World(2).draw(700, 5)
    drawn.rows["claim"] = ""
    return drawn


@pytest.fixture(scope="module")
def model(sample: Sample) -> Model:
    return train(sample.rows.iloc[:500], sample.cause[:500], REASONS, COLUMNS)


def test_weights_and_start_add_up_to_the_margin(sample: Sample, model: Model) -> None:
    rows = sample.rows.iloc[500:]
    margins, chances = model.margins(rows), model.probabilities(rows)
    order = np.argsort(-chances, axis=1)[:, :2]
    found = weigh(model, rows, [[REASONS[it] for it in pair] for pair in order])
    for place, it in enumerate(found):
        first, second = margins[place, order[place]]
        assert (it.reason, it.runner_up) == tuple(REASONS[at] for at in order[place])
        assert sum(line.toward for line in it.lines()) == pytest.approx(first, abs=1e-5)
        assert sum(line.rather for line in it.lines()) == pytest.approx(first - second, abs=2e-5)
        assert np.exp(it.ahead / model.temperature) == pytest.approx(
            chances[place, order[place, 0]] / chances[place, order[place, 1]], rel=1e-4
        )
        assert it.confidence == chances[place, order[place, 0]]


def test_the_start_is_what_the_claim_and_the_habits_say(sample: Sample, model: Model) -> None:
    rows = sample.rows.iloc[500:510]
    _, start = model.seen(rows)
    for place, it in enumerate(weigh(model, rows, [REASONS[:2]] * 10)):
        assert it.start.toward == pytest.approx(start[place, 0], abs=1e-6)
    alike = {round(it.alike.toward, 4) for it in weigh(model, rows, [REASONS[:2]] * 10)}
    assert len(alike) == 1  # the same for every difference


def test_the_heaviest_come_first_with_values_that_people_read(sample: Sample, model: Model) -> None:
    rows = sample.rows.iloc[500:]
    found = weigh(model, rows, [REASONS[:2]] * len(rows))
    for it in found:
        heavy = [max(abs(line.toward), abs(line.rather)) for line in it.weights]
        assert len(heavy) == TOP and heavy == sorted(heavy, reverse=True)
        assert not any(line.feature.startswith("record's ") or "nan" in line.value for line in it.weights)


def test_values_are_told_as_people_read_them(sample: Sample, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attribution.contributions.TOP", 1_000)
    rows = sample.rows.iloc[500:520]
    for place, it in enumerate(weigh(model, rows, [REASONS[:2]] * 20)):
        told = {line.feature: line.value for line in it.weights}
        row = rows.iloc[place]
        assert (told["field"], told["kind of value"]) == (row["field"], row["kind"])
        assert told["what the provers lean to"] == "none"
        assert told["A is empty"] == ("no" if row["value_a"] else "yes")
        assert told["share of the claim for this source"] == "no answer"  # nobody claims anything here
        if row["kind"] != "date":
            assert told["weekday of A"] == "no answer"
        assert it.others.toward == 0
