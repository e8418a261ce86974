"""Column pairs: a one-to-one assignment by what aligned rows, values and names say, and why each column has its partner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingestion.suggest.aligned import Aligned, matrix
from ingestion.suggest.assignment import best_assignment
from ingestion.suggest.column import Column
from ingestion.suggest.evidence import Evidence
from ingestion.suggest.keys import Key
from ingestion.suggest.names import name_likeness

ENOUGH = 0.18  # agreement beyond chance that pairs two columns by itself
NAME_COUNTS = 0.15  # how much less the rows must agree where the names are the same
NAMED = 0.6  # alike names that pair columns whose rows say nothing
CONTRADICTED = 8  # rows that agree no more than by chance speak against a name

Grid = Sequence[Sequence[Evidence]]


@dataclass(frozen=True)
class Pair:
    """Two columns that are proposed to be one field. `name`: how alike their names are; `values`: the shared values."""

    a: Column
    b: Column
    evidence: Evidence
    name: float
    values: float
    is_key: bool = False


@dataclass(frozen=True)
class Unpaired:
    """A column left out, and why."""

    column: Column
    reason: str


def pair_columns(
    aligned: Aligned, key: Key, columns_a: Sequence[Column], columns_b: Sequence[Column]
) -> tuple[list[Pair], list[Unpaired]]:
    """The pairs in the order of A's columns, the key's own first, and what is left over on both sides."""
    found = matrix(aligned, len(columns_a), len(columns_b))
    scores = np.array(
        [[_score(found[a][b], left, right) for b, right in enumerate(columns_b)] for a, left in enumerate(columns_a)]
    )
    keyed = {(part.a.position, part.b.position) for part in key.parts}
    for a, b in keyed:
        scores[a, :] = scores[:, b] = 0
        scores[a, b] = 10
    chosen = sorted(best_assignment(scores), key=lambda it: (it not in keyed, it))
    pairs = [
        Pair(
            columns_a[a], columns_b[b], found[a][b], name_likeness(columns_a[a].name, columns_b[b].name),
            shared_values(columns_a[a], columns_b[b]), is_key=(a, b) in keyed,
        )
        for a, b in chosen
    ]  # fmt: skip
    partners = dict(chosen)
    back = {b: a for a, b in chosen}
    left = [
        Unpaired(it, _reason(it, found[n], columns_b, columns_a, back))
        for n, it in enumerate(columns_a)
        if n not in partners
    ]
    right = [
        Unpaired(it, _reason(it, [row[n] for row in found], columns_a, columns_b, partners))
        for n, it in enumerate(columns_b)
        if n not in back
    ]
    return pairs, [*left, *right]


def _score(evidence: Evidence, a: Column, b: Column) -> float:
    """0 where the two may not be one field."""
    name = name_likeness(a.name, b.name)
    alike = 0.05 * (a.kind == b.kind)
    if not a.filled or not b.filled:
        return 0.3 * name + alike if name >= NAMED else 0.0
    if evidence.is_clear:
        is_enough = evidence.weight >= ENOUGH and evidence.is_clearest
        if is_enough or (name >= 0.4 and evidence.weight >= ENOUGH - NAME_COUNTS * name):
            return evidence.weight + 0.25 * name + alike
        return 0.0
    is_constant = evidence.chance > 0.97
    is_contradicted = evidence.both >= CONTRADICTED and not is_constant and evidence.chance < 0.9
    if is_contradicted and name <= 0.95:
        return 0.0
    values = max(shared_values(a, b), evidence.share if is_constant else 0.0)
    if is_contradicted:
        return 0.2 * name + 0.2 * values if values >= 0.3 else 0.0
    if values >= 0.8 or name >= NAMED:
        return 0.4 * values + 0.5 * name + alike
    return 0.0


def shared_values(a: Column, b: Column) -> float:
    """The share of sampled rows whose value the other column also has, of the side that has the smaller share."""
    left, right = a.folded, b.folded
    if not left or not right:
        return 0.0
    shares = [
        sum(times for value, times in one.items() if value in other) / sum(one.values())
        for one, other in ((left, right), (right, left))
    ]
    return min(shares)


def _reason(
    column: Column,
    found: Sequence[Evidence],
    others: Sequence[Column],
    own: Sequence[Column],
    taken: Mapping[int, int],
) -> str:
    """Why a column has no partner: it is empty, nothing agrees, or the nearest one goes with another column."""
    if not column.filled:
        return "it holds no value"
    best = max(range(len(others)), key=lambda n: found[n].weight)
    evidence, other = found[best], others[best]
    if not evidence.is_clear or evidence.weight < 0.03:
        named = max(others, key=lambda it: name_likeness(column.name, it.name))
        if name_likeness(column.name, named.name) >= NAMED:
            tried = found[named.position]
            return f"no values meet: {named.name}, of a like name, agrees in {tried.agree:,} of {tried.both:,} rows"
        return "no column of the other file agrees with it more often than by chance"
    said = f"nearest is {other.name}, which agrees in {evidence.agree:,} of {evidence.both:,} rows"
    if best in taken:
        return f"{said} but goes better with {own[taken[best]].name}"
    return f"{said}, {evidence.chance:.0%} by chance: too few"
