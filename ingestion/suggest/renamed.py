"""Renamed: which new column of a file is a missing one under another name, by its name, its look and its values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.suggest.assignment import best_assignment
from ingestion.suggest.names import name_likeness

ALIKE = 0.6  # names, from which on a column may be another one's successor
SURE = 0.75  # names that need no values
WRITTEN = 0.7  # share of values of one look
HELD = 0.3  # share of values that stood in the column before
_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d")


@dataclass(frozen=True)
class Sample:
    """A column in the first rows of a file: its name, place from 0, and values with their rows."""

    name: str
    place: int
    values: Mapping[str, int]


@dataclass(frozen=True)
class Renaming:
    """A missing column, the one that looks like it, and what speaks for that."""

    missing: str
    column: str
    why: str


@dataclass(frozen=True)
class _Evidence:
    name: float
    look: float
    held: float
    in_place: bool

    @property
    def score(self) -> float:
        """Zero where it is another column."""
        by_name = self.name >= SURE or (self.name >= ALIKE and self.look > 0)
        by_values = self.look >= WRITTEN and (self.held >= HELD or self.in_place)
        if not by_name and not by_values:
            return 0.0
        return 0.5 * self.name + 0.3 * self.look + 0.2 * self.held + 0.05 * self.in_place

    def told(self) -> str:
        """In words for a person."""
        words = [f"the names are alike to {self.name:.0%}"] if self.name >= ALIKE else []
        words += [f"{self.look:.0%} of the values are written alike"] if self.look else []
        words += [f"{self.held:.0%} of them stood there before"] if self.held >= 0.005 else []
        words += ["it stands in the same place"] if self.in_place else []
        return ", ".join(words)


def find_renamed(missing: Sequence[Sample], new: Sequence[Sample]) -> list[Renaming]:
    """The likeliest successor of each missing column, one to one; none where nothing speaks for any."""
    if not missing or not new:
        return []
    found = [[_compare(old, column) for column in new] for old in missing]
    pairs = best_assignment(np.array([[it.score for it in row] for row in found]))
    return [Renaming(missing[a].name, new[b].name, found[a][b].told()) for a, b in pairs]


def _compare(old: Sample, new: Sample) -> _Evidence:
    return _Evidence(
        name_likeness(old.name, new.name),
        _shared(_looks(old.values), _looks(new.values)),
        _held(old.values, new.values),
        old.place == new.place,
    )


def _looks(values: Mapping[str, int]) -> dict[str, float]:
    """The share of rows by the look of their value: `AB-120.50` is `a-000.00`."""
    total, found = sum(values.values()), dict[str, float]()
    for text, times in values.items():
        look = _DIGITS.sub("0", _LETTERS.sub("a", text.strip()))
        found[look] = found.get(look, 0.0) + times / total
    return found


def _shared(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    return sum(min(share, b.get(look, 0.0)) for look, share in a.items())


def _held(old: Mapping[str, int], new: Mapping[str, int]) -> float:
    total = sum(new.values())
    return sum(times for text, times in new.items() if text in old) / total if total else 0.0
