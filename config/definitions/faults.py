"""Faults of a definition: each has a place and a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Fault:
    """Where something is wrong, and what."""

    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.place else self.sentence


class BadDefinition(Exception):
    """A definition with faults; nothing of it was applied."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the words that there are."""
    known = list(known)
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(sorted(known)[:12])}" if known else ""
