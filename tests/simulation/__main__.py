"""How near the model comes to the best that can be, on seeded worlds with exact posteriors: `make bench-attribution`.

Each line: labels, then of the most likely reason how often it is right (and the most that can be), the calibration error, what
passes strictly above 0.90 and functional, how often its cause is an error, seconds of training and differences a second with features and
the question whether any label is like them (CPU time, one thread).
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from attribution.statistics.calibration import calibration_error
from tests.simulation import proofs, speed, streams, unseen, worlds
from tests.simulation.claims import claimed
from tests.simulation.judged import learned
from tests.simulation.world import FUNCTIONAL, REASONS, Sample, World

SIZES = (100, 300, 1_000, 10_000)
TEST, UNNAMED = 20_000, 20_000
THRESHOLD = 0.9
SEEDS = (1, 2, 3, 4)
WORLDS = 10


def main() -> None:
    """A table a part: those that are named, or all; a number says how many worlds certificates are tried in."""
    named = [it for it in sys.argv[1:] if not it.isdigit()]
    count = next((int(it) for it in sys.argv[1:] if it.isdigit()), WORLDS)
    parts = {
        "learning": learning,
        "streams": streams.lines,
        "proofs": proofs.lines,
        "speed": speed.lines,
        "unseen": unseen.lines,
        "certificates": lambda: worlds.lines(count),
        "first": lambda: worlds.first_lines(min(count, WORLDS)),
    }
    for name in named or parts:
        print(f"\n{name}")
        for line in parts[name]():
            print(line, flush=True)


def learning() -> Iterator[str]:
    """How near to the best that can be, and how fast."""
    for seed in SEEDS:
        world = World.varied(seed)
        test = world.draw(TEST, 99)
        rows, unnamed = claimed(test.rows), world.draw(UNNAMED, 8)
        yield f"World {seed}: {test.posterior.max(axis=1).mean():.3f} at best"
        yield f"{'labels':>8}{'right':>8}{'ece':>8}{'passes':>8}{'errors':>8}{'train s':>9}{'per s':>9}"
        for size in SIZES:
            yield _line(world, size, unnamed, rows, test)


def _line(world: World, size: int, unnamed: Sample, rows: pd.DataFrame, test: Sample) -> str:
    drawn = world.draw(size, 5)
    began = time.process_time()
    model = learned(drawn, unnamed)
    trained = time.process_time()
    found = model.probabilities(rows)
    model.unfamiliar(rows)
    served = time.process_time() - trained
    best, confidence = found.argmax(axis=1), found.max(axis=1)
    right = test.posterior[np.arange(len(rows)), best]
    passes = (confidence > THRESHOLD) & np.isin(np.array(REASONS)[best], list(FUNCTIONAL))
    errors = 1 - test.functional[passes].mean() if passes.any() else 0.0
    return (
        f"{size:>8,}{right.mean():>8.3f}{calibration_error(confidence, right):>8.3f}{passes.mean():>8.3f}{errors:>8.3f}"
        f"{trained - began:>9.1f}{len(rows) / served:>9,.0f}"
    )


if __name__ == "__main__":
    main()
