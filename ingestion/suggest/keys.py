"""The key: columns whose values are unique on both sides, meet, and bring rows together that agree in the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import duckdb
import numpy as np

from ingestion.errors import IngestionError
from ingestion.suggest.aligned import Aligned, Part, align, matrix, weights
from ingestion.suggest.assignment import best_assignment
from ingestion.suggest.column import Column
from ingestion.suggest.names import name_likeness, words_of
from ingestion.suggest.overlap import Overlap, Values, overlap, values_of
from ingestion.suggest.side import Side
from ingestion.suggest.words import GROUP

TRIED = 6  # candidates whose rows are brought together
TRIAL_ROWS = 1_500
TRIAL_COLUMNS = 30
UNIQUE = 0.5  # a key's share of distinct values, at least; repeats become duplicates for review
CLEARLY_UNIQUE = 0.9
COMPOSED = 10  # pairs of columns that a composite key may be made of
LARGEST = 4  # columns of a key
FEWEST = 0.02  # of the shorter side's rows that must meet
LIKELY = {"text": 1.0, "integer": 1.0, "datetime": 0.6, "date": 0.5, "decimal": 0.5}

Overlaps = Mapping[tuple[int, int], Overlap]


class NoKey(IngestionError):
    """Nothing identifies the same record on both sides."""


@dataclass(frozen=True)
class Key:
    """Candidate key: distinct keys and keyed rows a side, and the keys that stand once on both.

    `agreement` is how many other columns agree, in whole columns, when it brings rows together. The counts are of all
    rows where `thin` is 1, else scaled up from every so-many-th key.
    """

    parts: tuple[Part, ...]
    distinct_a: int
    rows_a: int
    distinct_b: int
    rows_b: int
    common: int
    agreement: float
    thin: int = 1

    @property
    def name(self) -> str:
        """The columns of both sides."""
        return " + ".join(f"{part.a.name} = {part.b.name}" for part in self.parts)

    @property
    def value(self) -> float:
        """Keys in common, counted by how much the rest agrees and how key-like the columns are."""
        return self.common * (0.2 + self.agreement) * float(np.prod([_likely(part) for part in self.parts]))


def find_keys(duck: duckdb.DuckDBPyConnection, sides: Sequence[Side], columns: Sequence[list[Column]]) -> list[Key]:
    """The candidates, the best first. NoKey says what was looked at."""
    largest = max(side.rows for side in sides)
    values = [[values_of(duck, side, it, largest) for it in held] for side, held in zip(sides, columns, strict=True)]
    overlaps = _overlaps(columns, values)
    fewest = max(1.0, FEWEST * min(side.rows for side in sides))
    singles = [
        _part(columns, pair, found)
        for pair, found in overlaps.items()
        if found.common >= fewest and all(_may_be_key(columns[n][pair[n]]) for n in range(2))
    ]
    singles.sort(key=lambda part: -overlaps[part.a.position, part.b.position].common * _likely(part))
    found: list[Key] = []
    for part in singles[:TRIED]:
        if not _is_beaten(part, overlaps[part.a.position, part.b.position].common, found):
            thin = max(overlaps[part.a.position, part.b.position].common // (4 * TRIAL_ROWS), 1)
            found.append(_measured(duck, columns, (part,), thin))
    if not any(_is_clear(key) for key in found):
        found += [_measured(duck, columns, parts) for parts in _composed(duck, sides, columns, overlaps)]
    found = sorted((key for key in found if key.common), key=lambda key: -key.value)
    if not found:
        raise NoKey(_sentence(columns))
    return found


def _is_beaten(part: Part, common: int, found: Sequence[Key]) -> bool:
    """Whether it cannot be the best even if the rest agreed a little more than under any key so far."""
    best = max(found, key=lambda key: key.value, default=None)
    return best is not None and common * _likely(part) * (0.5 + 1.1 * best.agreement) < best.value


def _sentence(columns: Sequence[list[Column]]) -> str:
    unique = [", ".join(it.name for it in held if it.filled and it.unique >= UNIQUE) or "none" for held in columns]
    return (
        "No key was found: no column, nor up to four together, is unique on both sides with values that meet. "
        f"Unique in A: {unique[0]}; in B: {unique[1]}. Name two files of the same records, or write the definition by hand."
    )


def _overlaps(columns: Sequence[list[Column]], values: Sequence[list[list[Values]]]) -> dict[tuple[int, int], Overlap]:
    found = {
        (a.position, b.position): overlap(values[0][a.position], values[1][b.position])
        for a in columns[0]
        for b in columns[1]
    }
    return {pair: it for pair, it in found.items() if it is not None}


def _part(columns: Sequence[list[Column]], pair: tuple[int, int], found: Overlap) -> Part:
    return Part(columns[0][pair[0]], columns[1][pair[1]], found.form_a.name, found.form_a.sql, found.form_b.sql)


def _may_be_key(column: Column) -> bool:
    return column.filled > 0 and column.unique >= UNIQUE and not column.is_clock


def _likely(part: Part) -> float:
    """How key-like two columns are by their kind, spaces, names and place."""
    likely = min(LIKELY.get(it.kind, 0.3) for it in (part.a, part.b))
    if any(sum(" " in value.strip() for value in it.values) * 2 > len(it.values) for it in (part.a, part.b)):
        likely *= 0.8
    named = any(GROUP.get(word) == "id" for it in (part.a, part.b) for word in words_of(it.name))
    alike = name_likeness(part.a.name, part.b.name)
    even = all(len({len(value.strip()) for value in it.values}) == 1 for it in (part.a, part.b))
    first = 1 - 0.0002 * (part.a.position + part.b.position)  # settles a draw
    return likely * (1 + 0.05 * named + 0.05 * alike + 0.03 * even) * first


def _is_clear(key: Key) -> bool:
    return key.distinct_a >= CLEARLY_UNIQUE * key.rows_a and key.distinct_b >= CLEARLY_UNIQUE * key.rows_b


def _measured(
    duck: duckdb.DuckDBPyConnection, columns: Sequence[list[Column]], parts: tuple[Part, ...], thin: int = 1
) -> Key:
    few = [held[:TRIAL_COLUMNS] for held in columns]
    aligned = align(duck, parts, *few, limit=TRIAL_ROWS, thin=thin)
    scores = weights(matrix(aligned, len(few[0]), len(few[1])))
    for part in parts:
        scores[part.a.position : part.a.position + 1, :] = 0
        scores[:, part.b.position : part.b.position + 1] = 0
    agreement = float(sum(scores[pair] for pair in best_assignment(scores)))
    return counted(Key(parts, 0, 0, 0, 0, 0, agreement, thin), aligned)


def counted(key: Key, aligned: Aligned) -> Key:
    """With the counts of rows that were aligned by it."""
    return replace(
        key, distinct_a=aligned.keys_a, rows_a=aligned.keyed_a, distinct_b=aligned.keys_b, rows_b=aligned.keyed_b,
        common=aligned.common,
    )  # fmt: skip


def _composed(
    duck: duckdb.DuckDBPyConnection, sides: Sequence[Side], columns: Sequence[list[Column]], overlaps: Overlaps
) -> list[tuple[Part, ...]]:
    """Sets of columns that are unique together on both sides' samples, the smallest first."""
    parts = _likely_parts(columns, overlaps)
    hashes = [
        _hashes(duck, side, [part.sql_a if n == 0 else part.sql_b for part in parts]) for n, side in enumerate(sides)
    ]
    found: list[tuple[float, tuple[Part, ...]]] = []
    for size in range(2, LARGEST + 1):
        for chosen in combinations(range(len(parts)), size):
            unique = min(_uniqueness([held[n] for n in chosen]) for held in hashes)
            if unique >= CLEARLY_UNIQUE:
                likely = float(np.prod([_likely(parts[n]) for n in chosen]))
                found.append((unique * likely, tuple(parts[n] for n in chosen)))
        if found:
            break
    return [parts for _, parts in sorted(found, key=lambda it: -it[0])[:TRIED]]


def _likely_parts(columns: Sequence[list[Column]], overlaps: Overlaps) -> list[Part]:
    """Pairs of columns that share values, one partner each, the most alike first."""
    scores = np.zeros((len(columns[0]), len(columns[1])))
    for (a, b), found in overlaps.items():
        left, right = columns[0][a], columns[1][b]
        if found.share >= 0.3 and min(left.distinct, right.distinct) > 1:
            evenness = min(left.distinct, right.distinct) / max(left.distinct, right.distinct)
            scores[a, b] = found.share * (0.4 + 0.6 * evenness) + name_likeness(left.name, right.name)
    pairs = sorted(best_assignment(scores), key=lambda pair: -scores[pair])
    return [_part(columns, pair, overlaps[pair]) for pair in pairs[:COMPOSED]]


def _hashes(duck: duckdb.DuckDBPyConnection, side: Side, expressions: Sequence[str]) -> list[np.ma.MaskedArray]:
    if not expressions:
        return []
    selected = ", ".join(
        f"CASE WHEN ({it}) IS NOT NULL THEN hash({it}) END AS h{n}" for n, it in enumerate(expressions)
    )
    arrays = duck.execute(f"SELECT {selected} FROM {side.sample}").fetchnumpy()
    return [np.ma.asarray(arrays[f"h{n}"]) for n in range(len(expressions))]


def _uniqueness(hashes: Sequence[np.ma.MaskedArray]) -> float:
    """Distinct combinations a row, in rows that are filled in all of them; 0 where few are."""
    there = ~np.logical_or.reduce([np.ma.getmaskarray(it) for it in hashes])
    if there.sum() * 2 < len(there):
        return 0.0
    mixed = np.zeros(int(there.sum()), dtype=np.uint64)
    for it in hashes:
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + np.ma.getdata(it)[there].astype(np.uint64)
    return len(np.unique(mixed)) / len(mixed)
