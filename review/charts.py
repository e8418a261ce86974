"""Geometry of the charts that templates draw as SVG: pure numbers in, coordinates out. Each chart has a table of its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

HALF = 40  # width of one side of a signed bar
WIDE, HIGH = 400, 190  # the area of a plot; its labels stand beside it
BOUNDS = (0.10, 0.05, 0.02, 0.01)
CEILINGS = (0.12, 0.25, 0.5, 1.0)  # where the axis of errors may end


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


@dataclass(frozen=True)
class Mark:
    """A labelled place on an axis."""

    at: str
    label: str


@dataclass(frozen=True)
class Spot:
    """A point with the ends of its interval, and how large it is drawn."""

    x: str
    y: str
    low: str
    high: str
    r: str


@dataclass(frozen=True)
class Reliability:
    """Confidence to the right, how often it was right upwards; the diagonal is where both are the same."""

    spots: tuple[Spot, ...]
    marks: tuple[Mark, ...]


def reliability_chart(groups: Sequence[tuple[float, float, float, float, int]]) -> Reliability:
    """`groups`: mean confidence, share that was right, the limits of its interval, and labels."""
    most = max((count for *_, count in groups), default=1)
    spots = tuple(
        Spot(_x(mean), _y(right, 1), _y(low, 1), _y(high, 1), f"{2.5 + 2.5 * (count / most) ** 0.5:.1f}")
        for mean, right, low, high, count in groups
    )
    return Reliability(spots, tuple(Mark(_x(it / 4), f"{it * 25} %") for it in range(5)))


@dataclass(frozen=True)
class RiskCoverage:
    """What passes to the right, the share of errors in it upwards: the line that was found, its upper limits, the bounds, and two
    points (`now` and `then`), which may be the same or missing."""

    found: str
    upper: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    bounds: tuple[Mark, ...]
    now: Spot | None
    then: Spot | None


Risk = tuple[float, float, float]  # coverage, errors, upper limit


def risk_chart(points: Sequence[Risk], now: Risk | None, then: Risk | None) -> RiskCoverage:
    """`points` in the order of coverage; none where nothing passes."""
    top = next(it for it in CEILINGS if it >= min(1.0, 1.15 * max((errors for _, errors, _ in points), default=0)))
    return RiskCoverage(
        found=_path([(_x(coverage), _y(errors, top)) for coverage, errors, _ in points]),
        upper=_path([(_x(coverage), _y(limit, top)) for coverage, _, limit in points]),
        across=tuple(Mark(_x(it / 4), f"{it * 25} %") for it in range(5)),
        up=(Mark(_y(top, top), f"{top * 100:.0f} %"), Mark(_y(0, top), "0 %")),
        bounds=tuple(Mark(_y(it, top), f"{it * 100:.0f} %") for it in BOUNDS if it < top * 0.95),
        now=_risk_spot(now, top),
        then=_risk_spot(then, top),
    )


def _risk_spot(risk: Risk | None, top: float) -> Spot | None:
    if risk is None:
        return None
    coverage, errors, limit = risk
    return Spot(_x(coverage), _y(errors, top), _y(errors, top), _y(limit, top), "4")


def _path(places: Sequence[tuple[str, str]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in places) if places else ""


def _x(share: float) -> str:
    return f"{share * WIDE:.1f}"


def _y(share: float, top: float) -> str:
    return f"{HIGH - min(share / top, 1.0) * HIGH:.1f}"
