"""Geometry of a Sankey diagram in three columns: pure numbers in, coordinates out.

A stream that would drown the others is drawn no wider than `cap` and marked as cut; all others are to scale. A stream is cut alike
on both of its bands, so the bands of a node always fill it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH, HIGH = 880, 300
COLUMNS = (141.0, 430.0, 719.0)  # left edges of the nodes
NODE = 9.0
GAP = 20.0  # between nodes, room for a label
THINNEST = 1.5
Path = tuple[str, str, str]  # a name in each column


@dataclass
class Node:
    """A name of a column: its box, and how many rows it stands for."""

    column: int
    name: str
    rows: int = 0
    drawn: float = 0.0
    y: float = 0.0
    left: float = 0.0  # how far the bands that arrive have filled it
    right: float = 0.0

    @property
    def x(self) -> str:
        """Its left edge."""
        return f"{COLUMNS[self.column]:.0f}"

    @property
    def top(self) -> str:
        """Its upper edge."""
        return f"{self.y:.1f}"

    @property
    def height(self) -> str:
        """Its height."""
        return f"{max(self.drawn, THINNEST):.1f}"

    @property
    def middle(self) -> str:
        """Where its label stands."""
        return f"{self.y + self.drawn / 2:.1f}"

    @property
    def label(self) -> str:
        """The left edge of its label."""
        return f"{COLUMNS[self.column] + NODE + 8:.0f}"


@dataclass
class Band:
    """Rows from a node to one of the next column. `cut` is the mark of a shortened one, empty where it is to scale."""

    source: Node
    target: Node
    rows: int = 0
    drawn: float = 0.0
    is_cut: bool = False
    path: str = ""
    cut: str = ""


@dataclass(frozen=True)
class Sankey:
    """What is drawn, in the order of drawing."""

    nodes: list[Node] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        """Whether any band is shortened."""
        return any(band.is_cut for band in self.bands)


def sankey(rows: Mapping[Path, int], order: Sequence[Sequence[str]], drowning: Iterable[str]) -> Sankey:
    """`rows` by their way through the columns, whose names stand in `order`; `drowning` names those of the middle column that may be
    cut, to the sum of all others."""
    ways = {way: count for way, count in rows.items() if count}
    quiet = set(drowning)
    cap = sum(count for way, count in ways.items() if way[1] not in quiet) or max(ways.values(), default=1)
    nodes = {
        (column, name): Node(column, name)
        for column, names in enumerate(order)
        for name in names
        if any(way[column] == name for way in ways)
    }
    drawn = {way: float(min(count, cap) if way[1] in quiet else count) for way, count in ways.items()}
    unit = _unit(nodes, drawn)
    bands: dict[tuple[Node, Node] | tuple[int, str, str], Band] = {}
    for way, count in ways.items():
        width = max(drawn[way] * unit, THINNEST)
        for column, name in enumerate(way):
            nodes[column, name].rows += count
            nodes[column, name].drawn += width
        for column in (0, 1):
            key = (column, way[column], way[column + 1])
            band = bands.setdefault(key, Band(nodes[column, way[column]], nodes[column + 1, way[column + 1]]))
            band.rows, band.drawn = band.rows + count, band.drawn + width
            band.is_cut |= way[1] in quiet and count > cap
    _place(list(nodes.values()))
    _draw(list(bands.values()), order)
    return Sankey(list(nodes.values()), list(bands.values()))


def _unit(nodes: Mapping[tuple[int, str], Node], drawn: Mapping[Path, float]) -> float:
    """Pixels of a row, so that the fullest column fits."""
    gaps = max((sum(column == it for it, _ in nodes) - 1 for column in range(3)), default=0)
    room = HIGH - max(gaps, 1) * GAP - len(drawn) * THINNEST
    return room / (sum(drawn.values()) or 1.0)


def _place(nodes: Sequence[Node]) -> None:
    """Stack each column, in the middle of the height."""
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        columns[node.column].append(node)
    for column in columns.values():
        y = (HIGH - sum(node.drawn for node in column) - GAP * (len(column) - 1)) / 2
        for node in column:
            node.y, y = y, y + node.drawn + GAP


def _draw(bands: list[Band], order: Sequence[Sequence[str]]) -> None:
    """Let each node's bands leave and arrive in the order of what stands at their other end."""
    place = {(column, name): at for column, names in enumerate(order) for at, name in enumerate(names)}
    starts: dict[int, float] = {}
    for band in sorted(
        bands, key=lambda it: (place[it.source.column, it.source.name], place[it.target.column, it.target.name])
    ):
        starts[id(band)] = band.source.y + band.source.right
        band.source.right += band.drawn
    for band in sorted(
        bands, key=lambda it: (place[it.target.column, it.target.name], place[it.source.column, it.source.name])
    ):
        end = band.target.y + band.target.left
        band.target.left += band.drawn
        _shape(band, starts[id(band)], end)


def _shape(band: Band, start: float, end: float) -> None:
    x0, x1, wide = COLUMNS[band.source.column] + NODE, COLUMNS[band.target.column], band.drawn
    half = (x0 + x1) / 2
    band.path = (
        f"M{x0:.0f} {start:.1f}C{half:.0f} {start:.1f} {half:.0f} {end:.1f} {x1:.0f} {end:.1f}v{wide:.1f}"
        f"C{half:.0f} {end + wide:.1f} {half:.0f} {start + wide:.1f} {x0:.0f} {start + wide:.1f}Z"
    )
    if band.is_cut:
        x = x1 - 30
        band.cut = f"M{x:.0f} {end - 3:.1f}l-6 {wide + 6:.1f}M{x + 9:.0f} {end - 3:.1f}l-6 {wide + 6:.1f}"
