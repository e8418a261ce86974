"""Causes that no label knows: some change ratios in a way of their own, some imitate a known look. All of them are errors."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from attribution.held_out import Proven
from attribution.learned import Model
from attribution.scores import tell
from tests.simulation.claims import claimed
from tests.simulation.judged import NAMED, covered, judged, learned, proven
from tests.simulation.looks import times
from tests.simulation.world import REASONS, SIZES, Sample, World

RATIOS = {
    "corporate action ratio": ("3", "1.5", "1.25", "1.2", "1.1", "1.05", "0.6667", "0.2"),
    "withholding tax ratio": ("0.85", "0.9", "0.75", "0.7", "0.73625", "0.65"),
    "unit of measure": ("0.45359237", "2.20462262", "0.3048", "1.609344", "31.1034768", "0.0283495"),
}
WORLDS = (1, 2, 3, 4, 5, 6)
LABELS, POOL, TEST, ASKED, UNNAMED = 5_000, 30_000, 20_000, 2_000, 20_000
BOUND = 0.02
IMITATORS = ("SCALE_ERR", "TRUNCATION_ERR", "SIGN_FLIP", "MANUAL_ENTRY_ERR")


def ratio_rows(world: World, cause: str, count: int, seed: int) -> pd.DataFrame:
    """Differences of a cause that multiplies numbers, at the places that have a habit of it."""
    rng = np.random.default_rng([seed, 13])
    rows = world.draw(count * 20, seed).rows
    rows = rows[rows["kind"] == "number"]
    pull = {name: rng.normal(0, 1, size) for name, size in SIZES.items()}
    weight = np.exp(sum(pull[name][rows[name].str.lstrip("cpts").astype(int)] for name in SIZES))
    chosen = rows.iloc[rng.choice(len(rows), count, replace=False, p=weight / weight.sum())].copy()
    pair = times(*RATIOS[cause])
    pairs = [pair(rng) for _ in range(count)]
    chosen["value_a"], chosen["value_b"] = zip(*pairs, strict=True)
    return chosen.reset_index(drop=True)


def without(sample: Sample, cause: str) -> Sample:
    """The sample as it were had a cause never come: its differences are left out."""
    kept = sample.cause != REASONS.index(cause)
    return Sample(sample.rows[kept].reset_index(drop=True), sample.cause[kept], sample.posterior[kept])


def only(sample: Sample, cause: str) -> pd.DataFrame:
    """The differences of one cause."""
    return sample.rows[sample.cause == REASONS.index(cause)].reset_index(drop=True)


def lines() -> Iterator[str]:
    """The share of each unseen cause whose differences reach a certificate's threshold, by world."""
    yield f"{LABELS:,} labels to learn from and as many to certify by, threshold of the {BOUND:.0%} certificate"
    found: dict[str, list[float]] = {}
    for seed in WORLDS:
        world = World.varied(seed)
        drawn, pool, test = world.draw(LABELS, 5), world.draw(POOL, 6), world.draw(TEST, 99)
        unnamed = world.draw(UNNAMED, 8)
        model = learned(drawn, unnamed)
        certificate = proven(judged(model, pool), LABELS, BOUND)
        for cause in RATIOS:
            found.setdefault(cause, []).append(_passing(model, certificate, ratio_rows(world, cause, ASKED, 3)))
        for cause in IMITATORS:
            blind = learned(without(drawn, cause), without(unnamed, cause))
            certificate = proven(judged(blind, without(pool, cause)), LABELS, BOUND)
            found.setdefault(cause, []).append(_passing(blind, certificate, only(test, cause)))
    for cause, shares in found.items():
        yield f"{cause:>24}{np.mean(shares):>8.2%}  " + " ".join(f"{it:.1%}" for it in shares)
    for name, group in (("changes ratios", RATIOS), ("imitates", IMITATORS)):
        yield f"{name:>24}{np.mean([found[cause] for cause in group]):>8.2%}"


def _passing(model: Model, certificate: Proven | None, rows: pd.DataFrame) -> float:
    if certificate is None:
        return 0.0
    asked = claimed(rows)
    told = tell(model.probabilities(asked), REASONS, NAMED)
    named = np.array(REASONS, dtype=object)[told.order[:, 0]]
    return float(covered(told.scores(model.unfamiliar(asked) == ""), named, certificate).mean())
