"""Many worlds, each with a model, certificates and their truth; what is computed is kept, so that a stopped run goes on."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.simulation.judged import Judged, judged, learned, proven, slipped
from tests.simulation.world import Sample, World

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "var" / "bench-attribution"
BOUNDS = (0.05, 0.02, 0.01)
NOISE = 0.02
HALF = 5_000  # labels to learn from, and as many to certify by
POOL, TEST, UNNAMED = 25_000, 20_000, 20_000
FIRST = {0.05: (600, 1_000, 1_600), 0.02: (2_000, 3_000, 5_000)}  # labels, half of them to learn from


def certificates(seed: int) -> dict[str, Any]:
    """Of each way (plain, single: one difference a record, noisy) and bound: [what passes, the exact share of errors in it, what an
    all-knowing judge would let pass]."""
    world = World.varied(seed)
    drawn, pool, test, unnamed = world.draw(HALF, 5), world.draw(POOL, 6), world.draw(TEST, 99), world.draw(UNNAMED, 8)
    noisy = slipped(drawn.cause, NOISE, np.random.default_rng([seed, 19]))
    plain, slips = learned(drawn, unnamed), learned(drawn, unnamed, noisy)
    asked, later = judged(plain, pool), judged(plain, test)
    return {
        "plain": _certified(asked, later, seed, 0.0),
        "single": _certified(alone(asked), alone(later), seed, 0.0),
        "noisy": _certified(judged(slips, pool), judged(slips, test), seed, NOISE),
    }


def first(seed: int) -> dict[str, Any]:
    """The same of each bound and number of labels, half of them to learn from."""
    world = World.varied(seed)
    pool, test = world.draw(POOL, 6), world.draw(TEST, 99)
    return {
        str(bound): {str(size): _first(world, pool, test, bound, size // 2, seed) for size in sizes}
        for bound, sizes in FIRST.items()
    }


def _kept(measure: Callable[[int], dict[str, Any]], seed: int) -> dict[str, Any]:
    """What was measured of a world, now or before."""
    kept = KEPT / f"{measure.__name__}-{_version()}-{seed}.json"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(measure(seed)))
    return json.loads(kept.read_text())  # type: ignore[no-any-return]


def _version() -> str:
    files = [*(ROOT / "attribution").glob("*.py"), *(ROOT / "attribution/statistics").glob("*.py")]
    files += [Path(__file__).with_name(f"{it}.py") for it in ("claims", "judged", "looks", "world", "worlds")]
    return hashlib.sha256(b"".join(it.read_bytes() for it in sorted(files))).hexdigest()[:12]


def _certified(asked: Judged, later: Judged, seed: int, noise: float) -> dict[str, list[float]]:
    return {
        str(bound): [*later.passing(proven(asked, HALF, bound, noise, seed)), later.oracle(bound)] for bound in BOUNDS
    }


def _first(world: World, pool: Sample, test: Sample, bound: float, half: int, seed: int) -> list[float]:
    model = learned(world.draw(half, 5), world.draw(UNNAMED, 8))
    later = judged(model, test)
    return [*later.passing(proven(judged(model, pool), half, bound, 0.0, seed)), later.oracle(bound)]


def alone(given: Judged) -> Judged:
    """The same differences, each a record of its own."""
    sample = given.sample
    rows = sample.rows.assign(record=np.arange(len(sample.cause)))
    return Judged(Sample(rows, sample.cause, sample.posterior), given.chances, given.familiar)


def lines(worlds: int) -> Iterator[str]:
    """What certificates let pass, and how often they fail."""
    found = [_kept(certificates, seed) for seed in range(1, worlds + 1)]
    yield f"{worlds} worlds, {HALF:,} labels to learn from beside {UNNAMED:,} differences without one, and {HALF:,} to certify by"
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


def first_lines(worlds: int) -> Iterator[str]:
    """How soon the first certificate comes that is worth half of what an all-knowing judge lets pass."""
    found = [_kept(first, seed) for seed in range(1, worlds + 1)]
    yield f"{worlds} worlds, half of the labels to learn from and half to certify by"
    yield f"{'bound':>7}{'labels':>8}{'of the judge':>14}{'worlds with half':>18}"
    for bound, sizes in FIRST.items():
        for size in sizes:
            passes, _, oracle = np.array([it[str(bound)][str(size)] for it in found]).T
            half = (passes >= oracle / 2).mean()
            yield f"{bound:>7.0%}{size:>8,}{passes.sum() / oracle.sum():>14.1%}{half:>18.1%}"
