"""Geometry of rates over runs: a panel a rate, each with its own axis, the newest run at the right. Pure numbers in."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDE, HIGH = 300.0, 52.0
LEFT, TOPS = 8.0, (20.0, 92.0)


@dataclass(frozen=True)
class Point:
    """A run on a line."""

    run: int
    x: str
    y: str
    told: str


@dataclass(frozen=True)
class Panel:
    """A rate: its line, its newest point, and the values at the ends of its axis."""

    title: str
    path: str
    points: tuple[Point, ...]
    top: str
    base: str
    high: str
    low: str

    @property
    def last(self) -> Point:
        """The newest run."""
        return self.points[-1]


def panels(runs: Sequence[int], rates: Sequence[tuple[str, Sequence[float | None]]]) -> list[Panel]:
    """A panel for each of two rates (title, shares by run; None where a run has none)."""
    return [
        _panel(title, runs, shares, top)
        for (title, shares), top in zip(rates, TOPS, strict=True)
        if any(it is not None for it in shares)
    ]


def x_of(place: int, runs: int) -> str:
    """Where a run stands; a single one stands at the right."""
    return f"{LEFT + (WIDE * place / (runs - 1) if runs > 1 else WIDE):.1f}"


def _panel(title: str, runs: Sequence[int], shares: Sequence[float | None], top: float) -> Panel:
    held = [it for it in shares if it is not None]
    low, high = max(0.0, min(held) - 0.005), min(1.0, max(held) + 0.005)
    points = tuple(
        Point(run, x_of(place, len(runs)), f"{top + HIGH * (1 - (share - low) / (high - low)):.1f}", percent(share))
        for place, (run, share) in enumerate(zip(runs, shares, strict=True))
        if share is not None
    )
    path = "M" + "L".join(f"{it.x} {it.y}" for it in points)
    return Panel(title, path, points, f"{top:.0f}", f"{top + HIGH:.0f}", percent(high), percent(low))


def percent(share: float | None) -> str:
    """A share with one place."""
    return "" if share is None else f"{share * 100:.1f} %"
