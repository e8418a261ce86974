"""Precedents: how often each reason was confirmed where a field differed and the provers leaned the same way, and what else the
labels say of differences as sentences. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from attribution.evidence_lines import Line

ENOUGH = 3  # labels of a field and claim from which the model speaks of such a difference

Counts = Mapping[tuple[str, str], Mapping[str, int]]


@dataclass(frozen=True)
class Precedents:
    """Counts of confirmed reasons by (field, claim), and the evidence lines."""

    counts: Counts
    lines: tuple[Line, ...] = ()

    @classmethod
    def of(cls, labelled: Iterable[tuple[str, str, str]], lines: tuple[Line, ...] = ()) -> "Precedents":
        """From (field, claim, reason) of each label."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for field, claim, reason in labelled:
            own = counts.setdefault((field, claim), {})
            own[reason] = own.get(reason, 0) + 1
        return cls(counts, lines)

    def enough(self) -> list[tuple[str, str]]:
        """The (field, claim) with enough labels."""
        return [where for where, own in self.counts.items() if sum(own.values()) >= ENOUGH]

    def document(self) -> list[list[object]]:
        """As JSON takes it, in one order."""
        return [[field, claim, dict(sorted(own.items()))] for (field, claim), own in sorted(self.counts.items())]

    @classmethod
    def from_document(
        cls, given: Iterable[tuple[str, str, Mapping[str, int]]], lines: tuple[Line, ...] = ()
    ) -> "Precedents":
        """From `document`, and its lines."""
        return cls({(field, claim): own for field, claim, own in given}, lines)
