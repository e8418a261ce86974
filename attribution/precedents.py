"""Precedents: how often each reason was confirmed where a field differed and the provers leaned the same way. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ENOUGH = 3  # labels of a field and claim from which the model speaks of such a difference

Counts = Mapping[tuple[str, str], Mapping[str, int]]


@dataclass(frozen=True)
class Precedents:
    """Counts of confirmed reasons by (field, claim)."""

    counts: Counts

    @classmethod
    def of(cls, labelled: Iterable[tuple[str, str, str]]) -> "Precedents":
        """From (field, claim, reason) of each label."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for field, claim, reason in labelled:
            own = counts.setdefault((field, claim), {})
            own[reason] = own.get(reason, 0) + 1
        return cls(counts)

    def enough(self) -> list[tuple[str, str]]:
        """The (field, claim) with enough labels."""
        return [where for where, own in self.counts.items() if sum(own.values()) >= ENOUGH]

    def sentences(self) -> list[tuple[str, str, str, str]]:
        """(field, claim, reason, what the labels say of it as a sentence)."""
        return [
            (field, claim, reason, _sentence(field, claim, reason, number, sum(own.values())))
            for (field, claim), own in self.counts.items()
            for reason, number in own.items()
        ]

    def document(self) -> list[list[object]]:
        """As JSON takes it, in one order."""
        return [[field, claim, dict(sorted(own.items()))] for (field, claim), own in sorted(self.counts.items())]

    @classmethod
    def from_document(cls, given: Iterable[tuple[str, str, Mapping[str, int]]]) -> "Precedents":
        """From `document`."""
        return cls({(field, claim): own for field, claim, own in given})


def _sentence(field: str, claim: str, reason: str, number: int, total: int) -> str:
    where = f"that look like {claim}" if claim else "that no prover explains"
    return f"{number / total * 100:.0f} % of differences of {field} {where} were {reason}: {number:,} of {total:,}."
