"""What a model's numbers on later labels say, held against counting by hand."""

import numpy as np

from attribution.evaluation import evaluate

REASONS = ("FEE", "LAG", "TYPO")
FUNCTIONAL = np.array([True, True, False])


def test_the_curve_and_the_table_count_each_label() -> None:
    rng = np.random.default_rng(3)
    found = rng.dirichlet([0.4] * 3, 500)
    labels = np.array([rng.choice(3, p=it) for it in found])
    told = evaluate(found, labels, REASONS, FUNCTIONAL, 0.9)
    best, curve = found.argmax(axis=1), told["curve"]
    assert np.array(told["confusion"]).sum(axis=1).tolist() == np.bincount(labels).tolist()
    assert np.trace(told["confusion"]) == (best == labels).sum()
    assert curve["reasons"] == ["FEE", "LAG"]  # type: ignore[index]
    for name, scores in (("confidence", found.max(axis=1)), ("functional_share", found[:, :2].sum(axis=1))):
        points = curve[name]  # type: ignore[index]
        assert len(points) <= 60 and [it[0] for it in points] == sorted(it[0] for it in points)
        for threshold, passes, errors, other, each in points:
            may = (scores > threshold) & (best < 2) & (found.max(axis=1) >= 0.5)
            assert (passes, errors) == (may.sum(), (may & (labels == 2)).sum())
            assert (other, sum(each)) == ((may & (best != labels)).sum(), passes)
    at = next(it for it in curve["confidence"] if it[0] == 0.9)  # type: ignore[index]
    assert at[1:4] == [told["gate"][it] for it in ("passes", "errors", "other_reason")]  # type: ignore[index]
