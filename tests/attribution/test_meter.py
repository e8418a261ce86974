"""The meter counts what a certificate would need."""

import numpy as np
import pytest

from attribution.meter import Meter
from attribution.rungs import LADDER
from attribution.statistics.certificate import certify, threshold_grid
from attribution.statistics.meter import passes_needed, reviews_needed


@pytest.mark.parametrize(("bound", "needed"), [(0.10, 29), (0.05, 59), (0.02, 149), (0.01, 299)])
def test_right_passes_that_a_bound_needs(bound: float, needed: int) -> None:
    assert passes_needed(0.0, bound) == needed
    for count, holds in ((needed, True), (needed - 1, False)):
        scores, wrong = np.full(count, 0.95), np.zeros(count, dtype=bool)
        assert (certify(scores, wrong, threshold_grid(scores, 0.9), bound=bound) is not None) is holds


def test_errors_ask_for_more_and_too_many_for_what_cannot_be() -> None:
    needed = passes_needed(0.01, 0.02)
    assert needed is not None and needed > 600
    assert passes_needed(0.02, 0.02) is None


def test_the_cheapest_threshold_counts() -> None:
    assert reviews_needed([(100, 0), (200, 20)], 400, 0.02, 0.4) == 490  # 49 more passes, a quarter of the held out
    assert reviews_needed([(500, 0)], 600, 0.02, 0.4) == 0
    assert reviews_needed([(0, 0), (100, 50)], 600, 0.02, 0.4) is None


def test_only_what_speaks_for_all_records_counts() -> None:
    assert reviews_needed([(300, 0)], 600, 0.02, 0.4) == 0
    assert reviews_needed([(300, 0)], 600, 0.02, 0.4, counted=600) == 0
    assert reviews_needed([(300, 0)], 600, 0.02, 0.4, counted=16) == 705  # 149 passes less the 8 among those 16


def test_it_speaks_in_round_numbers() -> None:
    assert str(Meter(LADDER[2], 1_034)) == "About 1,000 more reviews bring the certificate of 2 %."
    assert str(Meter(LADDER[2], 7)).startswith("About 7 more")
    assert "errs too often" in str(Meter(LADDER[3], None))
    assert str(Meter(LADDER[2], 1_034, is_drawn=True)) == "About 1,000 more blind audits bring the certificate of 2 %."


def test_it_never_asks_for_a_training_that_was_just_made() -> None:
    assert "train again, under a budget" in str(Meter(LADDER[0], 0))
    assert str(Meter(LADDER[0], 0, was_tried=True)) == (
        "The labels there are all but prove 10 %: after some more reviews, train again."
    )
