"""Many worlds, each with a model, certificates and their truth; what is computed is kept, so that a stopped run goes on."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.simulation.judged import judged, learned, proven, slipped
from tests.simulation.world import Sample, World

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "var" / "bench-attribution"
BOUNDS = (0.05, 0.02, 0.01)
NOISE = 0.02
HALF = 5_000  # labels to learn from, and as many to certify by
POOL, TEST = 30_000, 20_000
FIRST = {0.05: (600, 1_000, 1_600), 0.02: (2_000, 3_000, 5_000)}  # labels, half of them to learn from


def of_world(seed: int) -> dict[str, Any]:
    """Of each way (plain, noisy, single: one difference a record) and bound: [what passes, the exact share of errors in it, what an
    all-knowing judge would let pass]; of `first` also by labels."""
    kept = KEPT / f"{_version()}-{seed}.json"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_measured(seed)))
    return json.loads(kept.read_text())  # type: ignore[no-any-return]


def _version() -> str:
    files = [*(ROOT / "attribution").glob("*.py"), *(ROOT / "attribution/statistics").glob("*.py")]
    files += Path(__file__).parent.glob("*.py")
    return hashlib.sha256(b"".join(it.read_bytes() for it in sorted(files))).hexdigest()[:12]


def _measured(seed: int) -> dict[str, Any]:
    world = World.varied(seed)
    drawn, pool, test = world.draw(HALF, 5), world.draw(POOL, 6), world.draw(TEST, 99)
    noisy = slipped(drawn.cause, NOISE, np.random.default_rng([seed, 19]))
    return {
        "plain": _certified(drawn, drawn.cause, pool, test, seed, 0.0),
        "single": _certified(drawn, drawn.cause, alone(pool), alone(test), seed, 0.0),
        "noisy": _certified(drawn, noisy, pool, test, seed, NOISE),
        "first": {
            str(bound): {str(size): _first(drawn, pool, test, bound, size, seed) for size in sizes}
            for bound, sizes in FIRST.items()
        },
    }


def _certified(
    drawn: Sample, labels: np.ndarray, pool: Sample, test: Sample, seed: int, noise: float
) -> dict[str, list[float]]:
    model = learned(drawn, labels)
    asked, later = judged(model, pool), judged(model, test)
    return {
        str(bound): [*later.passing(proven(asked, HALF, bound, noise, seed)), later.oracle(bound)] for bound in BOUNDS
    }


def _first(drawn: Sample, pool: Sample, test: Sample, bound: float, size: int, seed: int) -> list[float]:
    half = size // 2
    model = learned(Sample(drawn.rows[:half], drawn.cause[:half], drawn.posterior[:half]))
    later = judged(model, test)
    return [*later.passing(proven(judged(model, pool), half, bound, 0.0, seed)), later.oracle(bound)]


def alone(sample: Sample) -> Sample:
    """The same differences, each a record of its own."""
    return Sample(sample.rows.assign(record=np.arange(len(sample.cause))), sample.cause, sample.posterior)


def lines(worlds: int) -> Iterator[str]:
    """What certificates let pass, how often they fail, and how soon the first comes."""
    found = [of_world(seed) for seed in range(1, worlds + 1)]
    yield f"{worlds} worlds, {HALF:,} labels to learn from and {HALF:,} to certify by"
    yield f"{'':>8}{'bound':>7}{'of the judge':>14}{'worst tenth':>13}{'errors':>9}{'none':>7}{'failed':>9}"
    for way in ("plain", "single", "noisy"):
        for bound in BOUNDS:
            passes, errors, oracle = np.array([it[way][str(bound)] for it in found]).T
            share = passes / np.maximum(oracle, 1e-9)
            wrong = errors[passes > 0].mean() if (passes > 0).any() else 0.0
            yield (
                f"{way:>8}{bound:>7.0%}{passes.sum() / oracle.sum():>14.1%}{np.quantile(share, 0.1):>13.1%}{wrong:>9.2%}"
                f"{(passes == 0).mean():>7.1%}{(errors > bound).sum():>5d}/{worlds}"
            )
    yield f"first certificates: {'bound':>6}{'labels':>8}{'of the judge':>14}{'worlds with half':>18}"
    for bound, sizes in FIRST.items():
        for size in sizes:
            passes, _, oracle = np.array([it["first"][str(bound)][str(size)] for it in found]).T
            half = (passes >= oracle / 2).mean()
            yield f"{'':>20}{bound:>6.0%}{size:>8,}{passes.sum() / oracle.sum():>14.1%}{half:>18.1%}"
