"""Value maps: which code of one side stands for which of the other, counted on aligned rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import duckdb

from ingestion.suggest.pairs import Pair
from ingestion.suggest.readings import filled_sql

FEWEST = 3  # rows that a single code needs where most values are the same anyway
CLOSE = 0.01  # of the rows: two directions that explain nearly as many
CONSISTENT = 0.9
TYPED = 0.6  # two texts that are so alike are a spelling, no code
MANY = 10  # codes: more of one short length are a standard's, and stay as they are

Counts = list[tuple[str, str, int]]


@dataclass(frozen=True)
class ValueMap:
    """`side` has its values replaced by `values`; `explained` of `rows` rows follow them. `broken`: examples that do not."""

    side: str
    values: Mapping[str, str]
    explained: int
    rows: int
    broken: Sequence[tuple[str, str, int]]


def value_map(duck: duckdb.DuckDBPyConnection, pair: Pair) -> ValueMap | None:
    """The whole map of two columns that share no writing."""
    counts = _counts(duck, pair)
    turned = [(b, a, times) for a, b, times in counts]
    kept = _explained(counts), _explained(turned)
    side = _translated(counts) if abs(kept[0] - kept[1]) <= CLOSE * max(kept) else "a" if kept[0] > kept[1] else "b"
    return _map(side, counts if side == "a" else turned)


def _explained(counts: Counts) -> int:
    """The rows that the likeliest meaning of each code explains."""
    best: dict[str, int] = {}
    for code, _, times in counts:
        best[code] = max(best.get(code, 0), times)
    return sum(best.values())


def _map(side: str, counts: Counts) -> ValueMap | None:
    values: dict[str, str] = {}
    best: dict[str, int] = {}
    for code, meaning, times in sorted(counts, key=lambda it: (-it[2], it[0], it[1])):
        if code not in values:
            values[code], best[code] = meaning, times
    rows = sum(times for _, _, times in counts)
    broken = [(code, meaning, times) for code, meaning, times in counts if values[code] != meaning]
    kept = {code: meaning for code, meaning in sorted(values.items()) if code != meaning}
    return ValueMap(side, kept, sum(best.values()), rows, sorted(broken, key=lambda it: -it[2])) if kept else None


def extra_codes(duck: duckdb.DuckDBPyConnection, pair: Pair) -> list[ValueMap]:
    """Codes of either side that stand for a value although the two sides mostly write the same."""
    if max(pair.a.distinct, pair.b.distinct) > 400 or not (pair.a.filled and pair.b.filled):
        return []
    counts = _counts(duck, pair)
    found = [
        _consistent("b", [(b, a, times) for a, b, times in counts]),
        _consistent("a", counts),
    ]
    return [it for it in found if it is not None][:1]


def _consistent(side: str, counts: Counts) -> ValueMap | None:
    meanings = {meaning for _, meaning, _ in counts}
    values: dict[str, str] = {}
    explained = rows = 0
    for code in sorted({code for code, _, _ in counts} - meanings):
        partners = {meaning: times for it, meaning, times in counts if it == code}
        meaning, times = max(partners.items(), key=lambda it: it[1])
        total = sum(partners.values())
        alike = SequenceMatcher(None, code.casefold(), meaning.casefold()).ratio()
        if times >= FEWEST and times >= CONSISTENT * total and alike < TYPED:
            values[code] = meaning
            explained, rows = explained + times, rows + total
    return ValueMap(side, values, explained, rows, []) if values else None


def _counts(duck: duckdb.DuckDBPyConnection, pair: Pair) -> Counts:
    a, b = filled_sql(pair.a, f"a{pair.a.position}"), filled_sql(pair.b, f"b{pair.b.position}")
    return duck.execute(
        f"SELECT a, b, count(*) FROM (SELECT {a} AS a, {b} AS b FROM aligned) "
        "WHERE a IS NOT NULL AND b IS NOT NULL GROUP BY a, b ORDER BY a, b"
    ).fetchall()


def _translated(counts: Counts) -> str:
    """The side whose codes are replaced where either could be: the shorter, less telling ones, but not a standard's."""
    codes = {a for a, _, times in counts if times > 1}, {b for _, b, times in counts if times > 1}
    for n, other in enumerate(("b", "a")):
        if (
            len(codes[n]) > MANY
            and {len(code) for code in codes[n]} <= {2, 3}
            and len({len(code) for code in codes[n]}) == 1
        ):
            return other  # the other side's values become this standard's codes
    average = [sum(map(len, side)) / max(len(side), 1) for side in codes]
    return "a" if average[0] < average[1] else "b"
