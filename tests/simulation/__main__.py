"""How near the model comes to the best that can be, on seeded worlds with exact posteriors: `make bench-attribution`.

Each line: labels, then of the most likely reason how often it is right (and the most that can be), the calibration error, what
passes strictly above 0.90 and functional, how often its cause is an error, seconds of training and differences a second (one thread).
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from attribution.learned import Columns, train
from attribution.statistics.calibration import calibration_error
from attribution.statistics.certificate import certify, threshold_grid
from tests.simulation.world import FUNCTIONAL, REASONS, World

COLUMNS = Columns(
    ("field", "kind", "source", "product", "claim"), ("counterparty", "trader", "source", "product", "field")
)
SIZES = (100, 300, 1_000, 10_000)
TEST = 20_000
THRESHOLD = 0.9


def main() -> None:
    """A table a world; the worlds are named by their seeds, 1 and 2 if none is given."""
    for seed in map(int, sys.argv[1:] or ("1", "2")):
        world = World(seed)
        test = world.draw(TEST, 99)
        rows = _claimed(test.rows)
        print(f"World {seed}: {test.posterior.max(axis=1).mean():.3f} at best", flush=True)
        print(f"{'labels':>8}{'right':>8}{'ece':>8}{'passes':>8}{'errors':>8}{'train s':>9}{'per s':>9}")
        for size in SIZES:
            print(_line(world, size, rows, test.posterior, test.functional), flush=True)
        for line in _certified(world, rows, test.functional):
            print(line, flush=True)


def _line(world: World, size: int, rows: pd.DataFrame, posterior: np.ndarray, functional: np.ndarray) -> str:
    drawn = world.draw(size, 5)
    began = time.process_time()
    model = train(_claimed(drawn.rows), drawn.cause, REASONS, COLUMNS)
    trained = time.process_time()
    found = model.probabilities(rows)
    served = time.process_time() - trained
    best, confidence = found.argmax(axis=1), found.max(axis=1)
    right = posterior[np.arange(len(rows)), best]
    passes = (confidence > THRESHOLD) & np.isin(np.array(REASONS)[best], list(FUNCTIONAL))
    errors = 1 - functional[passes].mean() if passes.any() else 0.0
    return (
        f"{size:>8,}{right.mean():>8.3f}{calibration_error(confidence, right):>8.3f}{passes.mean():>8.3f}{errors:>8.3f}"
        f"{trained - began:>9.1f}{len(rows) / served:>9,.0f}"
    )


def _certified(world: World, rows: pd.DataFrame, functional: np.ndarray) -> Iterator[str]:
    """What a certificate lets pass, 5,000 labels for training and 5,000 drawn where it could pass, beside what an all-knowing
    judge would; single differences, not records."""
    drawn, pool = world.draw(5_000, 5), world.draw(20_000, 6)
    model = train(_claimed(drawn.rows), drawn.cause, REASONS, COLUMNS)
    is_functional = np.isin(REASONS, list(FUNCTIONAL))
    scores, others = (model.probabilities(it)[:, is_functional].sum(axis=1) for it in (rows, _claimed(pool.rows)))
    grid = threshold_grid(scores, 0.5)
    zone = np.flatnonzero(others >= grid[-1])[:5_000]
    best = np.sort(functional)[::-1]
    for bound in (0.05, 0.02, 0.01):
        oracle = ((1 - best).cumsum() / np.arange(1, len(best) + 1) <= bound).mean()
        found = certify(others[zone], ~is_functional[pool.cause[zone]], grid, bound=bound)
        passes = scores >= (found.threshold if found else np.inf)
        error = 1 - functional[passes].mean() if passes.any() else 0.0
        yield f"certified for {bound:.0%}: {passes.mean():.3f} pass, oracle {oracle:.3f}, {passes.mean() / oracle:.0%} of it; wrong {error:.4f}"


def _claimed(rows: pd.DataFrame) -> pd.DataFrame:
    """With what plain rules would say of the texts; the real provers ask for fields that a world has not."""
    a, b = rows["value_a"], rows["value_b"]
    x = pd.to_numeric(a.where(rows["kind"] == "number"), errors="coerce")
    y = pd.to_numeric(b.where(rows["kind"] == "number"), errors="coerce")
    with np.errstate(all="ignore"):
        tens = np.abs(np.log10(np.abs(y / x)))
    days = (
        pd.to_datetime(b.where(rows["kind"] == "date")) - pd.to_datetime(a.where(rows["kind"] == "date"))
    ).dt.days.abs()
    text = rows["kind"] == "text"
    plain_a, plain_b = (it.str.casefold().str.replace(r"[ -]", "", regex=True) for it in (a, b))
    rules = {
        "SIGN_FLIP": np.abs(x + y) < 1e-9,
        "SCALE_ERR": np.abs(tens - tens.round()) < 1e-9,
        "ROUNDING_DIFF": (np.abs(x.round(0) - y) < 1e-9) | (np.abs(x.round(1) - y) < 1e-9),
        "TIMING_LAG": days.between(1, 3),
        "FORMAT_VARIANT": text & (plain_a == plain_b),
        "TRUNCATION_ERR": text
        & pd.Series([one.startswith(other) for one, other in zip(a, b, strict=True)], index=a.index),
        "MANUAL_ENTRY_ERR": a.map(sorted).map(tuple) == b.map(sorted).map(tuple),
    }
    return rows.assign(claim=np.select([np.asarray(it, bool) for it in rules.values()], list(rules), default=""))


if __name__ == "__main__":
    main()
