"""What holds of the statistics whatever the sample: exact bounds, certificates, curves, temperatures, the meter."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom, binomtest

from attribution.rungs import LADDER
from attribution.statistics.bootstrap import lower_limit
from attribution.statistics.bounds import exceeds_p_value, lower_bound, upper_bound
from attribution.statistics.calibration import calibration_error, log_softmax, temperature
from attribution.statistics.certificate import STARTS, Certified, certify, threshold_grid
from attribution.statistics.meter import MOST, passes_needed, reviews_needed
from attribution.statistics.risk_coverage import risk_coverage
from attribution.statistics.stability import move

BOUNDS = tuple(map(float, LADDER))
FLOOR = 0.5
counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
deltas, bounds = st.sampled_from([0.2, 0.05, 0.05 / 3, 0.001]), st.sampled_from(BOUNDS)
seeds = st.integers(0, 2**32 - 1)


# Bounds of a share


@given(counts.filter(lambda it: it[1] > 0), deltas)
def test_bounds_are_those_of_scipy(count: tuple[int, int], delta: float) -> None:
    errors, sample = count
    less = binomtest(errors, sample, alternative="less").proportion_ci(1 - delta, method="exact")
    greater = binomtest(errors, sample, alternative="greater").proportion_ci(1 - delta, method="exact")
    assert upper_bound(errors, sample, delta) == pytest.approx(less.high)
    assert lower_bound(errors, sample, delta) == pytest.approx(greater.low)


@pytest.mark.parametrize(
    ("errors", "sample", "low", "high"),
    [(0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (10, 100, 0.0490, 0.1762)],
)
def test_bounds_are_those_of_the_tables(errors: int, sample: int, low: float, high: float) -> None:
    """Two-sided 95 % limits of C. Clopper and E. Pearson, to four places."""
    assert lower_bound(errors, sample, 0.025) == pytest.approx(low, abs=5e-5)
    assert upper_bound(errors, sample, 0.025) == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 400), st.floats(1e-9, 1), deltas)
def test_a_bound_covers_the_truth_as_often_as_it_says(sample: int, truth: float, delta: float) -> None:
    """Added up over all samples, not drawn."""
    chances = binom.pmf(np.arange(sample + 1), sample, truth)
    missed = [upper_bound(it, sample, delta) < truth for it in range(sample + 1)]
    assert chances[missed].sum() <= delta * (1 + 1e-9)
    missed = [lower_bound(it, sample, delta) > truth for it in range(sample + 1)]
    assert chances[missed].sum() <= delta * (1 + 1e-9)


@given(counts, deltas)
def test_bounds_move_with_the_sample(count: tuple[int, int], delta: float) -> None:
    errors, sample = count
    upper, lower = upper_bound(errors, sample, delta), lower_bound(errors, sample, delta)
    assert 0 <= lower <= (errors / sample if sample else 1) <= upper <= 1
    assert upper_bound(errors + 1, sample + 1, delta) >= upper >= upper_bound(errors, sample + 1, delta)
    assert upper_bound(errors, sample, delta / 2) >= upper
    assert lower_bound(errors, sample, delta / 2) <= lower


@given(counts, bounds, deltas)
def test_a_p_value_rejects_just_where_the_bound_lies_below(count: tuple[int, int], bound: float, delta: float) -> None:
    errors, sample = count
    p_value = float(exceeds_p_value(np.array([errors]), np.array([sample]), bound)[0])
    upper = upper_bound(errors, sample, delta)
    if not math.isclose(upper, bound, rel_tol=1e-9):
        assert (p_value <= delta) is (upper < bound)


@given(st.integers(1, 400), bounds, st.floats(0, 1))
def test_a_p_value_is_rarely_small_where_the_bound_is_broken(sample: int, bound: float, level: float) -> None:
    errors = np.arange(sample + 1)
    p_values = exceeds_p_value(errors, np.full(sample + 1, sample), bound)
    for share in (bound, min(1.0, bound * 1.5)):
        assert binom.pmf(errors, sample, share)[p_values <= level].sum() <= level + 1e-9


# Certificates


def drawn(seed: int, sample: int, wrong: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores with ties, and which of them are wrong: the lower ones more often."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.beta(8, 1, sample), rng.integers(1, 4))
    return scores, rng.random(sample) < wrong * (1 - scores) * 4


labelled = st.builds(drawn, seeds, st.integers(0, 900), st.floats(0, 1))


def threshold(found: Certified | None) -> float:
    """Above every score where nothing is certified."""
    return found.threshold if found else 2.0


@given(labelled)
def test_a_grid_goes_from_strict_to_lax_over_scores_that_are_there(sample: tuple[np.ndarray, np.ndarray]) -> None:
    scores, _ = sample
    grid = threshold_grid(scores, FLOOR)
    assert (np.diff(grid) < 0).all() and grid[-1] >= FLOOR
    assert set(grid) <= {FLOOR, *scores}


def test_the_starts_share_the_allowed_failure() -> None:
    assert sum(share for _, share in STARTS) == pytest.approx(1)


@given(labelled, bounds)
def test_a_certificate_says_what_its_sample_says(sample: tuple[np.ndarray, np.ndarray], bound: float) -> None:
    scores, wrong = sample
    grid = threshold_grid(scores, FLOOR)
    found = certify(scores, wrong, grid, bound=bound)
    if found is None:
        return
    passes = scores >= found.threshold
    assert (found.sample, found.errors) == (passes.sum(), wrong[passes].sum())
    least = upper_bound(found.errors, found.sample, 0.05)
    assert least * (1 - 1e-9) <= found.upper <= bound * (1 + 1e-9)
    assert found.threshold in grid
    shuffled = np.random.default_rng(1).permutation(len(scores))
    assert certify(scores[shuffled], wrong[shuffled], grid, bound=bound) == found


@given(labelled, bounds, st.data())
def test_better_evidence_never_certifies_less(
    sample: tuple[np.ndarray, np.ndarray], bound: float, data: st.DataObject
) -> None:
    scores, wrong = sample
    grid = threshold_grid(scores, FLOOR)
    here = threshold(certify(scores, wrong, grid, bound=bound))
    assert threshold(certify(scores, wrong, grid, bound=bound, delta=0.2)) <= here
    assert threshold(certify(scores, wrong, grid, bound=bound * 2)) <= here
    fewer = wrong & (np.random.default_rng(data.draw(seeds)).random(len(wrong)) < 0.7)
    assert threshold(certify(scores, fewer, grid, bound=bound)) <= here
    more = np.append(scores, np.full(data.draw(st.integers(1, 50)), 1.0))
    assert threshold(certify(more, np.append(wrong, np.zeros(len(more) - len(wrong), bool)), grid, bound=bound)) <= here


CURVES = {
    "flat at the bound": lambda it, bound: np.full_like(it, bound),
    "a step": lambda it, bound: np.where(it > 0.8, bound / 2, bound * 1.5),
    "rising": lambda it, bound: bound * 4 * (1 - it),
    "up and down": lambda it, bound: bound * (1 + 0.6 * np.sin(it * 25)),
    "good in the middle": lambda it, bound: np.where(np.abs(it - 0.7) < 0.1, 0, bound * 2),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("bound", [0.05, 0.10])
def test_a_certificate_is_wrong_in_at_most_one_of_twenty_samples(name: str, bound: float) -> None:
    """Over many samples of one world, however its errors lie along the scores."""
    rng, samples, size = np.random.default_rng(7), 600, 500
    everybody = (np.arange(20_000) + 0.5) / 20_000 * (1 - FLOOR) + FLOOR
    truth = CURVES[name](everybody, bound)
    grid = threshold_grid(everybody, FLOOR)
    broken = 0
    for _ in range(samples):
        at = rng.integers(0, len(everybody), size)
        found = certify(everybody[at], rng.random(size) < truth[at], grid, bound=bound)
        broken += found is not None and truth[everybody >= found.threshold].mean() > bound * (1 + 1e-9)
    assert broken <= binom.ppf(0.999, samples, 0.05)


# Curves, temperatures, mixes, intervals, the meter


@given(seeds, st.integers(0, 300), st.floats(0, 1))
def test_a_curve_counts_what_passes(seed: int, sample: int, extra: float) -> None:
    rng = np.random.default_rng(seed)
    functional = np.array([True, False, True, False])
    said, labels = rng.integers(0, 4, sample), rng.integers(0, 4, sample)
    scores = np.where(functional[said], np.round(rng.random(sample), 3), -1.0)
    points = risk_coverage(scores, said, labels, functional, extra)
    assert round(extra, 7) in [it[0] for it in points]
    before = sample
    for limit, passes, errors, other, each in points:
        assert isinstance(each, list)
        through = [it for it in range(sample) if scores[it] > limit]
        assert passes == len(through) == sum(each) and passes <= before
        assert errors == sum(not functional[labels[it]] for it in through)
        assert other == sum(said[it] != labels[it] for it in through) >= errors
        assert each == [sum(said[it] == reason for it in through) for reason in (0, 2)]
        before = passes


margins = arrays(float, st.tuples(st.integers(1, 40), st.just(4)), elements=st.floats(-30, 30))


@given(margins, seeds)
def test_a_temperature_never_makes_the_labels_less_likely(given_: np.ndarray, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, len(given_))
    found = temperature(given_, labels)
    assert 0.2 <= found <= 5.0

    def likely(at: float) -> float:
        return float(log_softmax(given_ / at)[np.arange(len(labels)), labels].mean())

    assert likely(found) >= likely(1.0) - 1e-6
    cooled = log_softmax(given_ / found)
    assert np.exp(cooled).sum(axis=1) == pytest.approx(np.ones(len(given_)))
    best = cooled[np.arange(len(given_)), given_.argmax(axis=1)]
    assert best == pytest.approx(cooled.max(axis=1))  # and no other reason is named for it


@given(margins, st.floats(-1e6, 1e6))
def test_probabilities_ask_for_distances_alone_and_survive_huge_ones(given_: np.ndarray, moved: float) -> None:
    assert log_softmax(given_ + moved) == pytest.approx(log_softmax(given_), abs=1e-6)
    huge = log_softmax(given_ * 1e300)
    assert np.isfinite(np.exp(huge)).all() and not np.isnan(huge).any()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200))
def test_a_calibration_error_is_a_share(rows: list[tuple[float, bool]]) -> None:
    confidence, right = np.array([it for it, _ in rows]), np.array([it for _, it in rows], dtype=bool)
    found = calibration_error(confidence, right)
    assert 0 <= found <= 1
    assert calibration_error(right.astype(float), right) == 0
    if rows:  # a mean of distances is no less than the distance of the means
        assert found >= abs(confidence.mean() - right.mean()) - 1e-9


mixes = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 10_000))


@given(mixes, mixes)
def test_a_mix_does_not_move_from_itself(one: dict[str, int], other: dict[str, int]) -> None:
    assert move(one, one).index == pytest.approx(0)
    found, back = move(one, other), move(other, one)
    assert found.index >= 0 and found.index == pytest.approx(back.index)
    assert found.limit >= 0.25 and found.sample == sum(other.values())


@settings(max_examples=20)
@given(seeds, st.integers(1, 60), st.floats(-5, 5))
def test_a_lower_limit_lies_below_the_mean_and_moves_with_it(seed: int, cases: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    gains, groups = rng.normal(0, 1, cases), rng.integers(0, cases, cases)
    limit = lower_limit(gains, groups)
    assert gains.min() - 1e-9 <= limit <= gains.max() + 1e-9
    assert lower_limit(gains + shift, groups) == pytest.approx(limit + shift)
    assert lower_limit(np.full(cases, shift), groups) == pytest.approx(shift)


@given(st.floats(0, 0.12), bounds)
def test_the_meter_counts_passes_that_would_do(share: float, bound: float) -> None:
    needed = passes_needed(share, bound)
    if needed is None:
        assert share > 0.9 * bound  # beyond a million labels
        return
    assert 1 <= needed <= MOST
    errors = math.ceil(share * needed)
    wrong = np.arange(needed) < errors
    assert certify(np.ones(needed), wrong, np.array([1.0]), bound=bound) is not None
    assert errors or certify(np.ones(needed - 1), wrong[1:], np.array([1.0]), bound=bound) is None


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 5)), max_size=6), bounds)
def test_a_laxer_bound_needs_no_more_reviews(curve: list[tuple[int, int]], bound: float) -> None:
    points = [(passes, min(errors, passes)) for passes, errors in curve]
    strict, lax = (reviews_needed(points, 600, it, 0.4) for it in (bound, bound * 1.5))
    assert strict is None or (lax is not None and 0 <= lax <= strict)
