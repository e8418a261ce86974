"""When breaks of one signature surge: many at once, far above their usual rate, and not by chance. Pure.

A signature is a field and a reason, and within these the size of the gap, the segment, or both; `ANY` stands for all of
them. Earlier runs say how many a run usually has, in proportion to its records.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

ANY = "*"
LEAST = 20  # breaks
TIMES = 3.0  # the usual rate
RUNS = 10  # earlier runs that say what is usual
LEAST_RUNS = 3  # fewer say nothing
CHANCE = 1e-4  # of one surge by chance in a run, over all of its signatures
MOST_OF = 0.8  # of a signature's breaks, from which a part of it tells them better


@dataclass(frozen=True)
class Signature:
    """What breaks have in common."""

    field: str
    reason: str
    gap: str = ANY
    segment: str = ANY

    def holds(self, other: "Signature") -> bool:
        """Whether every break of the other is one of this, too."""
        pairs = ((self.gap, other.gap), (self.segment, other.segment))
        same = (self.field, self.reason) == (other.field, other.reason)
        return same and all(mine in (ANY, theirs) for mine, theirs in pairs)


@dataclass(frozen=True)
class Counted:
    """How many breaks of a signature a run has, and how many the earlier runs had together."""

    signature: Signature
    count: int
    before: int


@dataclass(frozen=True)
class Surge:
    """A signature that surges; `usual` is how many a run of this size has."""

    signature: Signature
    count: int
    usual: float


def surging(counted: Sequence[Counted], *, runs: int, records: int, records_before: int) -> list[Surge]:
    """The surges among the signatures of a run, each as exactly as its breaks allow, the largest first. None while fewer than
    LEAST_RUNS earlier runs say what is usual.

    `records` are those of the run, `records_before` those of the earlier runs together.
    """
    if runs < LEAST_RUNS or records_before <= 0:
        return []
    share = records / records_before
    found = [Surge(it.signature, it.count, it.before * share) for it in counted if _surges(it, share, len(counted))]
    return _told_once(sorted(found, key=lambda it: (-it.count, it.signature.gap, it.signature.segment)))


def _surges(it: Counted, share: float, tried: int) -> bool:
    if it.count < LEAST or it.count < TIMES * it.before * share:
        return False
    # One break more than there were: what was never seen is not impossible.
    return at_least(it.count, (it.before + 1) * share) <= CHANCE / tried


def at_least(count: int, mean: float) -> float:
    """How likely a Poisson number of this mean is `count` or more. Exact where the count is above the mean, else 1."""
    if count <= mean:
        return 1.0
    term, total, number = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)), 0.0, count
    while term > total * 1e-12:
        total += term
        number += 1
        term *= mean / number
    return min(total, 1.0)


def _told_once(surges: Sequence[Surge]) -> list[Surge]:
    """A part that holds most of a signature tells it better; a smaller part says nothing that the whole does not."""
    kept = [it for it in surges if not any(_tells_better(other, it) for other in surges)]
    return [it for it in kept if not any(other is not it and other.signature.holds(it.signature) for other in kept)]


def _tells_better(part: Surge, whole: Surge) -> bool:
    return part is not whole and whole.signature.holds(part.signature) and part.count >= MOST_OF * whole.count
