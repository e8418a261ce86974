"""Proofs on values whose making is known: how often a prover's proof names what was done to A.

Each look is rendered equally often, so that what is common does not hide what is mistaken."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from attribution.classifier import explain
from attribution.provers.evidence import Context, Difference
from ingestion.shape import Leaf
from tests.simulation.judged import NAMED
from tests.simulation.looks import RENDERERS, render
from tests.simulation.world import REASONS, Sample, World

EACH = 3_000  # of a look
PASSES = Decimal("0.90")
LEAVES = {
    "number": Leaf("amount", "amount", "f1", "decimal", digits=18, places=2),
    "date": Leaf("day", "day", "f2", "date"),
    "text": Leaf("name", "name", "f3", "text"),
}
CONTEXT = Context(decimals={"amount": LEAVES["number"]}, reasons=NAMED)
TRUE = {
    "sign": {"SIGN_FLIP"},
    "day count": {"ACCRUAL_DIFF"},
    "power of ten": {"SCALE_ERR"},
    "thousandfold": {"SCALE_ERR"},
    "rounded": {"ROUNDING_DIFF"},
    "cut digits": {"TRUNCATION_ERR"},
    "digits swapped": {"MANUAL_ENTRY_ERR"},
    "next days": {"TIMING_LAG"},
    "day before": {"TIMING_LAG"},
    "day and month": {"MANUAL_ENTRY_ERR"},
    "one digit": {"MANUAL_ENTRY_ERR"},
    "case or spaces": {"FORMAT_VARIANT"},
    "accents broken": {"ENCODING_ERR"},
    "cut": {"TRUNCATION_ERR"},
    "letters swapped": {"MANUAL_ENTRY_ERR"},
}


def found(each: int = EACH) -> Counter[tuple[str, str]]:
    """How often a proof of a reason was given for a look: (reason, look)."""
    rng, counts = np.random.default_rng(29), Counter[tuple[str, str]]()
    for kind, look in RENDERERS:
        leaf = LEAVES[kind]
        pairs = [render(rng, kind, look) for _ in range(each)]
        made = explain([Difference(leaf.name, leaf, "value", a, b) for a, b in pairs if a != b], CONTEXT)
        counts.update((it.reason, look) for it in made if it.proof)
    return counts


def right(counts: Counter[tuple[str, str]]) -> int:
    """How many of these proofs name what was done."""
    return sum(count for (reason, look), count in counts.items() if reason in TRUE.get(look, ()))


def of_causes(sample: Sample) -> Iterator[str]:
    """Of a world's differences: how many proofs name the cause, and how many an all-knowing judge would; the same of the hints that pass
    a gate at 0.90."""
    rows = sample.rows
    asked = [
        Difference(LEAVES[kind].name, LEAVES[kind], "value", a, b)
        for kind, a, b in zip(rows["kind"], rows["value_a"], rows["value_b"], strict=True)
    ]
    said = explain(asked, CONTEXT)
    named = np.array([it.reason for it in said], dtype=object) == np.array(REASONS, dtype=object)[sample.cause]
    best = sample.posterior.argmax(axis=1) == sample.cause
    proved = np.array([bool(it.proof) for it in said])
    passing = ~proved & np.array([bool(it.functional) and it.confidence > PASSES for it in said])
    for what, chosen in (("proofs", proved), ("hints that pass", passing)):
        yield f"{chosen.sum():,} {what}, {named[chosen].mean():.1%} name the cause; an all-knowing judge would in {best[chosen].mean():.1%}"


def lines() -> Iterator[str]:
    """A line a reason: proofs, how many name what was done, and where the others were mistaken."""
    counts = found()
    reasons = sorted({reason for reason, _ in counts})
    for reason in reasons:
        own = {look: count for (named, look), count in counts.items() if named == reason}
        good = sum(count for look, count in own.items() if reason in TRUE.get(look, ()))
        wrong = ", ".join(f"{look} {count}" for look, count in own.items() if reason not in TRUE.get(look, ()))
        yield f"{reason:>20}{sum(own.values()):>8,}{good / sum(own.values()):>9.2%}  {wrong}"
    yield f"{'all':>20}{counts.total():>8,}{right(counts) / counts.total():>9.2%}"
    for name, world in (("plain", World.varied(1, ambiguity=0.0)), ("ambiguous", World.varied(1))):
        yield from (f"{name} world: {line}" for line in of_causes(world.draw(20_000, 99)))
