"""The threshold procedure beside an independent one: MAPIE's, which is told the same bound, chance of failure and thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapie.risk_control import BinaryClassificationController
from mapie.risk_control.fwer_control import FWERFixedSequenceTesting, control_fwer

from attribution.statistics import certificate
from attribution.statistics.bounds import exceeds_p_value
from attribution.statistics.certificate import certify, threshold_grid

DELTA = 0.05
FLOOR = 0.5


def sample(seed: int, size: int, wrong: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and which of them are wrong: the lower ones more often."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(6, 0.8, size)
    return scores, rng.random(size) < wrong * (1 - scores)


def elsewhere(scores: np.ndarray, wrong: np.ndarray, grid: np.ndarray, bound: float) -> BinaryClassificationController:
    """MAPIE's answer: of what it predicts to be right, at least `1 - bound` is, with confidence `1 - DELTA`."""
    controller = BinaryClassificationController(
        predict_function=lambda x: np.column_stack([1 - x[:, 0], x[:, 0]]),
        risk="precision",
        target_level=1 - bound,
        confidence_level=1 - DELTA,
        list_predict_params=grid,
        fwer_method="fixed_sequence",
    )
    return controller.calibrate(scores[:, None], (~wrong).astype(int))


def p_values(scores: np.ndarray, wrong: np.ndarray, grid: np.ndarray, bound: float, more: int = 0) -> np.ndarray:
    """Ours of each threshold, with some `more` errors."""
    counted = np.array([(scores >= it).sum() for it in grid])
    errors = np.array([wrong[scores >= it].sum() for it in grid])
    return exceeds_p_value(np.minimum(errors + more, counted), counted, bound)


def laxest(grid: np.ndarray, places: np.ndarray) -> float | None:
    """The last of the thresholds that were certified."""
    return float(grid[places].min()) if len(places) else None


samples = st.builds(sample, st.integers(0, 10_000), st.integers(300, 2_500), st.floats(0.1, 0.8))
grids = st.integers(0, 10_000).map(lambda seed: threshold_grid(sample(seed, 2_000, 0.5)[0], FLOOR))
bounds = st.sampled_from([0.02, 0.05, 0.10])


@settings(deadline=None)
@given(samples, grids, bounds, st.sampled_from([1, 2, 3, 5]))
def test_ours_goes_as_far_from_one_start_and_no_less_far_from_several(
    given_: tuple[np.ndarray, np.ndarray], grid: np.ndarray, bound: float, starts: int
) -> None:
    """Theirs hands nothing on from one start to the next."""
    scores, wrong = given_
    theirs = control_fwer(p_values(scores, wrong, grid, bound), DELTA, FWERFixedSequenceTesting(n_starts=starts))
    with pytest.MonkeyPatch.context() as same:
        even = len(grid) // starts
        same.setattr(certificate, "STARTS", tuple(((it * even + 0.5) / len(grid), 1 / starts) for it in range(starts)))
        ours = certify(scores, wrong, grid, bound=bound, delta=DELTA)
    limit, of_theirs = ours.threshold if ours else None, laxest(grid, theirs)
    if starts == 1:
        assert limit == of_theirs
    elif of_theirs is not None:
        assert limit is not None and limit <= of_theirs


@pytest.mark.filterwarnings("ignore:.*monotonic", "ignore:No predict parameters", "ignore:All provided predict")
@settings(max_examples=40, deadline=None)
@given(samples, grids, bounds)
def test_the_whole_of_it_certifies_no_more_than_ours(
    given_: tuple[np.ndarray, np.ndarray], grid: np.ndarray, bound: float
) -> None:
    """It counts errors as the sample times 1 - precision, rounded up, so now and then one too many; else both are the same. Where errors
    happen to fall towards lax thresholds it begins at the other end."""
    scores, wrong = given_
    found = elsewhere(scores, wrong, grid, bound)
    theirs, exact = found.p_values.ravel(), p_values(scores, wrong, grid, bound)
    one_more = p_values(scores, wrong, grid, bound, more=1)
    passing = np.array([(scores >= it).any() for it in grid])
    assert (exact * (1 - 1e-9) <= theirs)[passing].all() and (theirs <= one_more * (1 + 1e-9))[passing].all()
    with pytest.MonkeyPatch.context() as same:
        same.setattr(certificate, "STARTS", ((0.0, 1.0),))
        ours = certify(scores, wrong, grid, bound=bound, delta=DELTA)
    if exact[0] > DELTA:
        assert ours is None
    elif len(found.valid_predict_params):
        assert ours is not None and ours.threshold <= np.min(found.valid_predict_params)
    if exact[0] <= DELTA and np.allclose(theirs[passing], exact[passing]):
        assert (ours is None) is (len(found.valid_predict_params) == 0)


def test_ours_certifies_more_than_bonferroni_and_holm() -> None:
    """Of one world in which much is certified, by each method on the same p-values."""
    covered: dict[str, list[float]] = {"ours": [], "bonferroni": [], "bonferroni_holm": []}
    for seed in range(20):
        scores, wrong = sample(seed, 1_000, 0.4)
        grid = threshold_grid(sample(1_000 + seed, 2_000, 0.4)[0], FLOOR)
        ours = certify(scores, wrong, grid, bound=0.05, delta=DELTA)
        limits = {"ours": ours.threshold if ours else None}
        for method in ("bonferroni", "bonferroni_holm"):
            limits[method] = laxest(grid, control_fwer(p_values(scores, wrong, grid, 0.05), DELTA, method))
        for method, limit in limits.items():
            covered[method].append(float((scores >= limit).mean()) if limit else 0.0)
    shares = {method: float(np.mean(it)) for method, it in covered.items()}
    assert shares["ours"] > shares["bonferroni_holm"] > shares["bonferroni"] > 0.8
