"""How long a model of 10,000 labels takes: to be trained, to speak of differences, to say why. CPU time, one thread."""

import time
from collections.abc import Callable, Iterator

from tests.simulation.claims import claimed
from tests.simulation.judged import learned
from tests.simulation.world import World

LABELS, UNNAMED, ASKED, EXPLAINED, TIMES = 10_000, 20_000, 50_000, 200, 3


def lines() -> Iterator[str]:
    """A line a task; the best of some times."""
    world = World.varied(1)
    drawn, unnamed, rows = world.draw(LABELS, 5), world.draw(UNNAMED, 8), claimed(world.draw(ASKED, 99).rows)
    began = time.process_time()
    model = learned(drawn, unnamed)
    trees = model.booster.num_boosted_rounds() * len(model.reasons)
    yield f"training on {LABELS:,} labels and {UNNAMED:,} differences without one: {time.process_time() - began:.1f} s, {model.booster.num_boosted_rounds()} rounds, {trees} trees"
    told = _seconds(lambda: (model.probabilities(rows), model.unfamiliar(rows)))
    yield f"features, probabilities and the unfamiliar: {ASKED / told:,.0f} differences a second"
    one, few = rows.iloc[:1], rows.iloc[:EXPLAINED]
    yield f"why, one row: {_seconds(lambda: model.contributions(*model.seen(one))) * 1000:.1f} ms"
    yield f"why, {EXPLAINED} rows: {_seconds(lambda: model.contributions(*model.seen(few))) / EXPLAINED * 1000:.1f} ms a row"


def _seconds(task: Callable[[], object]) -> float:
    found = []
    for _ in range(TIMES):
        began = time.process_time()
        task()
        found.append(time.process_time() - began)
    return min(found)
