"""What is claimed of a share from a sample holds: exact bounds, certificates that seldom fail, an audit that trips in time."""

import numpy as np
import pytest
from scipy.stats import binom

from attribution.statistics.audit_test import trips_at
from attribution.statistics.bounds import exceeds_p_value, lower_bound, upper_bound
from attribution.statistics.calibration import calibration_error, log_softmax, temperature
from attribution.statistics.certificate import certify, threshold_grid
from attribution.statistics.descent import lowest


@pytest.mark.parametrize(("errors", "sample"), [(0, 10), (0, 299), (3, 200), (19, 20), (1, 1)])
def test_a_bound_is_where_so_few_errors_become_unlikely(errors: int, sample: int) -> None:
    upper, lower = upper_bound(errors, sample), lower_bound(sample - errors, sample)
    if errors < sample:
        assert binom.cdf(errors, sample, upper) == pytest.approx(0.05)
    assert upper + lower == pytest.approx(1 if errors < sample else 1 + lower)


def test_299_right_answers_are_the_least_for_one_percent() -> None:
    assert upper_bound(0, 299) < 0.01 < upper_bound(0, 298)
    assert exceeds_p_value(np.array([0, 0, 0]), np.array([299, 298, 0]), 0.01) == pytest.approx(
        [0.0495, 0.05, 1], abs=1e-3
    )


def test_a_certificate_breaks_its_bound_in_few_of_many_worlds() -> None:
    broken = certified = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth = rng.beta(6, 0.35, 40_000)  # the chance that each record is right; the score is a blurred picture of it
        scores = np.clip(truth + rng.normal(0, 0.03, len(truth)), 0, 1)
        grid = threshold_grid(scores[:20_000], 0.5)
        chosen = rng.choice(np.flatnonzero(scores >= grid[-1]), 1_500, replace=False)
        found = certify(scores[chosen], rng.random(len(chosen)) > truth[chosen], grid, bound=0.05)
        if found is not None:
            certified += 1
            broken += (1 - truth[scores >= found.threshold]).mean() > 0.05
    assert certified > 120
    assert broken <= binom.ppf(0.999, certified, 0.05)


def test_without_enough_right_answers_nothing_is_certified() -> None:
    grid = threshold_grid(np.linspace(0, 1, 1000), 0.5)
    assert certify(np.linspace(0.5, 1, 50), np.zeros(50, bool), grid, bound=0.01) is None
    assert certify(np.zeros(0), np.zeros(0, bool), grid, bound=0.1) is None
    assert certify(np.ones(1000), np.ones(1000, bool), grid, bound=0.1) is None


def test_the_audit_trips_when_errors_triple_and_seldom_else() -> None:
    rng = np.random.default_rng(1)
    late = [trips_at(rng.random(3_000) < 0.03, 0.01) for _ in range(100)]
    assert sum(it is not None and it <= 714 for it in late) >= 90
    assert sum(trips_at(rng.random(3_000) < 0.01, 0.01) is not None for _ in range(200)) <= 20


def test_a_temperature_makes_confident_margins_true() -> None:
    rng = np.random.default_rng(2)
    margins = rng.normal(0, 2, (20_000, 4))
    chances = np.exp(log_softmax(margins))
    labels = (rng.random((len(margins), 1)) < chances.cumsum(axis=1)).argmax(axis=1)
    assert temperature(margins * 3, labels) == pytest.approx(3, rel=0.05)
    assert calibration_error(chances.max(axis=1), chances.argmax(axis=1) == labels) < 0.015
    assert temperature(np.zeros((0, 4)), np.zeros(0, int)) == 1
    assert temperature(margins[:30] * 3, labels[:30], doubt=0.3) > temperature(margins[:30] * 3, labels[:30])


def test_the_lowest_point_is_found_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(3)
    steep, best = np.exp(rng.normal(0, 1, 200)), rng.normal(0, 3, 200)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        return float((steep * (point - best) ** 2).sum() / 2), steep * (point - best)

    found = lowest(loss, np.zeros(200), 300)
    assert found == pytest.approx(best, abs=1e-3)
    assert np.array_equal(found, lowest(loss, np.zeros(200), 300))
    assert np.array_equal(lowest(loss, best, 5), best)  # already there
