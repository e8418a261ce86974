"""What who, where and look say together: the slope is that of the likelihood, and differences without a label teach, too."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from attribution.leaning import leaning_of
from attribution.statistics.mixture import Mixture, Rows

REASONS = ("ROUNDING_DIFF", "SIGN_FLIP")
PLACES = {"bank": ("north", "south")}


def frame(bank: str, look: str, count: int) -> pd.DataFrame:
    """So many differences of a bank that look so."""
    return pd.DataFrame({"bank": [bank] * count, "look": [f"number||{look}"] * count})


def some_rows(rng: np.random.Generator, count: int) -> Rows:
    """Rows of three categories and of four looks, two of each kind."""
    places = np.eye(3)[rng.integers(0, 3, count)]
    return Rows(csr_array(np.column_stack([places, np.ones(count)])), csr_array(np.eye(4)[rng.integers(0, 4, count)]))


@pytest.mark.parametrize("counted", [0.0, 0.3])
def test_the_slope_is_that_of_the_loss(counted: float) -> None:
    rng = np.random.default_rng(1)
    once = np.eye(3)[rng.integers(0, 3, 12)]
    rows = some_rows(rng, 12)
    counts = rows.looks.T @ once + 0.5
    held = np.array([2.0, 2.0, 2.0, 0.05])[:, None]
    mixture = Mixture(rows, once, counts, np.array([0, 2]), held, some_rows(rng, 20) if counted else None, counted)
    point = rng.normal(0, 1, len(mixture.start()))
    _, slope = mixture.loss(point)
    for at in range(len(point)):
        step = np.zeros(len(point))
        step[at] = 1e-5
        rise = (mixture.loss(point + step)[0] - mixture.loss(point - step)[0]) / 2e-5
        assert slope[at] == pytest.approx(rise, abs=1e-4)


def test_the_shares_of_a_kinds_looks_make_one() -> None:
    rng = np.random.default_rng(2)
    rows, once = some_rows(rng, 30), np.eye(2)[rng.integers(0, 2, 30)]
    mixture = Mixture(rows, once, rows.looks.T @ once + 1, np.array([0, 2]), np.ones((4, 1)))
    _, looks = mixture.weights(rng.normal(0, 1, len(mixture.start())))
    assert np.exp(looks)[:2].sum(axis=0) == pytest.approx([1, 1])
    assert np.exp(looks)[2:].sum(axis=0) == pytest.approx([1, 1])


def test_an_unnamed_row_counts_as_the_sum_over_its_reasons() -> None:
    rng = np.random.default_rng(3)
    rows, once = some_rows(rng, 6), np.eye(2)[rng.integers(0, 2, 6)]
    alone = Mixture(rows, once, np.ones((4, 2)), np.array([0, 2]), np.ones((4, 1)))
    one = some_rows(rng, 1)
    point = rng.normal(0, 1, len(alone.start()))
    places, looks = alone.weights(point)
    margins = (one.places @ places)[0]
    joint = np.exp(margins - np.log(np.exp(margins).sum()) + (one.looks @ looks)[0])
    more = replace(alone, unnamed=one, counted=0.5).loss(point)[0] - alone.loss(point)[0]
    assert more == pytest.approx(-0.5 * np.log(joint.sum()))


def test_a_bank_whose_differences_look_so_leans_so_without_a_label_of_its_own() -> None:
    """South has no label. It turns signs again and again, so what might be either is more likely a turned sign there."""
    labels = np.array([0] * 20 + [1] * 20 + [0, 1])
    texts = pd.concat([frame("north", "rounded", 20), frame("north", "turned", 20), frame("north", "either", 2)])
    unnamed = pd.concat([frame("south", "turned", 60), frame("south", "rounded", 2), frame("north", "rounded", 60)])
    asked = frame("south", "either", 1)
    alone, more = (leaning_of(texts, labels, REASONS, PLACES, it).margins(asked)[0] for it in (None, unnamed))
    assert alone[1] - alone[0] == pytest.approx(0, abs=0.2)
    assert more[1] - more[0] > 1


def test_what_the_provers_claim_leans_before_any_label() -> None:
    texts = pd.DataFrame({"bank": ["north"] * 4, "look": ["number|SIGN_FLIP|a", "number||b", "number||b", "number||c"]})
    leaning = leaning_of(texts[1:], np.array([0, 1, 0]), REASONS, PLACES, texts[:1])
    claimed = leaning.margins(texts[:1])[0]
    assert claimed[1] - claimed[0] > 1


def test_what_training_did_not_see_says_nothing() -> None:
    leaning = leaning_of(frame("north", "rounded", 4), np.array([0, 0, 0, 1]), REASONS, PLACES)
    strange = leaning.margins(pd.DataFrame({"bank": ["east"], "look": ["text||new"]}))[0]
    assert strange == pytest.approx(leaning.general)
