"""Geometry of the charts that templates draw as SVG: pure numbers in, coordinates out."""

from collections.abc import Sequence
from dataclasses import dataclass

HALF = 40  # width of one side of a signed bar


@dataclass(frozen=True)
class SignedBar:
    """A bar from the middle of a track: to the right what speaks for, to the left what speaks against."""

    x: str
    width: str
    speaks_for: bool


def signed_bar(value: float, most: float) -> SignedBar:
    """`most`: the value that fills a side."""
    width = min(abs(value) / most, 1.0) * HALF if most else 0.0
    return SignedBar(f"{HALF if value >= 0 else HALF - width:.1f}", f"{width:.1f}", value >= 0)


def largest(values: Sequence[float]) -> float:
    """The value that fills a side of a bar."""
    return max(map(abs, values), default=0.0)
