"""A challenger and the champion on the same labels: the paired statistics of the rule."""

import numpy as np
import pytest

from attribution.challenge import Said, compare, worse
from attribution.statistics.bootstrap import lower_limit


def said(likelihood: float, right: np.ndarray, passes: np.ndarray) -> Said:
    """What a model says that gives the true reason the same chance everywhere."""
    return Said(np.full(len(right), likelihood), right, passes)


def test_a_record_passes_where_each_of_its_labels_does() -> None:
    records, truth = np.array([1, 1, 2, 3]), np.array(["A", "A", "B", "B"], dtype=object)
    all_right, none = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
    found = compare(
        said(0.9, all_right, np.array([True, False, True, True])),
        said(0.5, none, np.array([True, True, False, False])),
        truth,
        records,
    )
    assert (found["labels"], found["records"], found["passes"]) == (4, 3, [2, 1])
    assert found["log_loss"] == [0.1054, 0.6931]
    assert found["gain_at_least"] == pytest.approx(0.5878, abs=1e-4)  # the same gain everywhere leaves no doubt
    assert found["recalls"] == {"A": [2, 2, 0, 0.0], "B": [2, 2, 0, 0.0]}


@pytest.mark.parametrize(
    ("lost", "won", "is_worse"), [(1, 0, False), (10, 0, False), (40, 0, True), (40, 30, False), (16, 0, True), (12, 0, False)]
)  # fmt: skip
def test_a_reason_is_worse_only_beyond_doubt_and_by_more_than_five_points(lost: int, won: int, is_worse: bool) -> None:  # noqa: FBT001
    places = np.arange(100)
    ours, theirs = places >= lost, (places < lost) | (places >= lost + won)
    truth = np.full(100, "A", dtype=object)
    found = compare(said(0.5, ours, ours), said(0.5, theirs, theirs), truth, places)
    assert worse(found["recalls"]) == (["A"] if is_worse else [])


def test_one_label_is_no_evidence() -> None:
    truth, records = np.array(["A"], dtype=object), np.array([7])
    found = compare(
        said(0.1, np.array([False]), np.array([False])), said(0.9, np.array([True]), np.array([True])), truth, records
    )
    assert worse(found["recalls"]) == []


def test_the_lower_limit_holds_as_often_as_it_says() -> None:
    """Over 400 samples whose true gain is 0.1, the limit is above it about as seldom as 2.5 % allow."""
    rng = np.random.default_rng(5)
    limits = [lower_limit(rng.normal(0.1, 1, 200), np.arange(200), seed=it) for it in range(400)]
    assert np.mean([it > 0.1 for it in limits]) <= 0.05
    assert np.mean([it > -0.3 for it in limits]) >= 0.99


def test_what_belongs_together_is_drawn_together() -> None:
    """A hundred copies of ten cases say no more than the ten."""
    gains = np.random.default_rng(1).normal(0.2, 1, 10)
    alone, copied = lower_limit(gains, np.arange(10)), lower_limit(np.tile(gains, 100), np.tile(np.arange(10), 100))
    assert copied == pytest.approx(alone)
    assert lower_limit(np.tile(gains, 100), np.arange(1000)) > alone + 0.2
    assert lower_limit(np.array([]), np.array([])) == 0
