"""Faults of a definition: each has a place and a sentence."""

from dataclasses import dataclass


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
