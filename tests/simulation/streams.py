"""Streams of blind audits, as the guard reads them: how soon a breach of the bound moves the gate, and how often one that holds does."""

from collections.abc import Iterator

import numpy as np

from attribution.statistics.audit_test import trips_at

STREAMS = 4_000
AUDITS = 8_000  # a window
WITHIN = 714
BOUNDS = (0.05, 0.02, 0.01)


def trips(share: float, bound: float, streams: int = STREAMS, audits: int = AUDITS, seed: int = 0) -> np.ndarray:
    """After how many audits each stream trips in which a `share` of the passes is wrong; endless where it does not."""
    rng = np.random.default_rng([seed, 23])
    found = [trips_at(rng.random(audits) < share, bound) for _ in range(streams)]
    return np.array([np.inf if it is None else it for it in found])


def lines() -> Iterator[str]:
    """A line a bound."""
    yield f"{'bound':>6}{'3x in 714':>11}{'3x in 500':>11}{'median':>8}{'95 %':>7}{'2x 95 %':>9}{'5x 95 %':>9}{'at bound':>10}{'at half':>9}"
    for bound in BOUNDS:
        double, breach, wide = (trips(times * bound, bound) for times in (2, 3, 5))
        held, half = (np.isfinite(trips(times * bound, bound)).mean() for times in (1, 0.5))
        within, soon = (breach <= WITHIN).mean(), (breach <= 500).mean()
        late = [np.quantile(it, 0.95) for it in (breach, double, wide)]
        yield (
            f"{bound:>6.0%}{within:>11.2%}{soon:>11.2%}{np.median(breach):>8.0f}{late[0]:>7.0f}{late[1]:>9.0f}{late[2]:>9.0f}"
            f"{held:>10.2%}{half:>9.2%}"
        )
