"""References: fields that another field decides, so that they are stored once for each of its values."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np

from ingestion.suggest.field import FieldProposal
from ingestion.suggest.names import words_of
from ingestion.suggest.readings import filled_sql, null_hash
from ingestion.suggest.side import Side
from ingestion.suggest.words import GROUP

REPEATED = 3.0  # rows a value of the deciding field, at least
CERTAIN = 0.995  # the share of rows that follow, on both sides: then a reference is proposed
WORTH_SAYING = 0.9  # then it is said only
BY_CHANCE = math.log(1e-9)
FEW = 8  # values with a single attribute are worth no table


@dataclass(frozen=True)
class Decided:
    """A field that another one decides: `held` of `rows` rows a side follow the likeliest value."""

    field: FieldProposal
    held_a: int
    rows_a: int
    held_b: int
    rows_b: int

    @property
    def share(self) -> float:
        """On the side where it holds less."""
        return min(self.held_a / max(self.rows_a, 1), self.held_b / max(self.rows_b, 1))


@dataclass(frozen=True)
class Reference:
    """`by` decides `attributes`; `values` distinct ones. `code` is the type's, `name` the field's, `parts` maps fields to
    attribute names. `is_proposed`: it holds well enough to be written into the definition."""

    by: FieldProposal
    attributes: Sequence[Decided]
    values: int
    code: str = ""
    name: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def is_proposed(self) -> bool:
        """Whether nearly every row follows it."""
        is_worth_it = self.values > FEW or len(self.attributes) > 1
        return is_worth_it and all(it.share >= CERTAIN for it in self.attributes)

    def said(self) -> list[str]:
        """A sentence an attribute."""
        return [
            f"{self.by.name} decides {it.field.name} in {it.held_a:,} of {it.rows_a:,} rows of A and {it.held_b:,} of "
            f"{it.rows_b:,} of B ({self.values:,} values)"
            for it in self.attributes
        ]


def find_references(
    duck: duckdb.DuckDBPyConnection,
    sides: Sequence[Side],
    fields: Sequence[FieldProposal],
    owner: str,
    taken: Collection[str] = (),
) -> list[Reference]:
    """References by the fields that decide most, each field in one at most; those that hold everywhere first.

    `owner` is the record type of the fields, `taken` are codes of types that exist already.
    """
    candidates = [it for it in fields if not it.pair.is_key and it.type_["type"] in ("text", "integer", "date")]
    scalar = [it for it in candidates if it.type_["type"] != "date" and not it.pair.a.is_clock]
    codes = [_codes(duck, side, candidates) for side in sides]
    found: list[Reference] = []
    for by in scalar:
        n = candidates.index(by)
        values = [len(np.unique(held[n][held[n] > 0])) for held in codes]
        rows = [int((held[n] > 0).sum()) for held in codes]
        if min(values) < 2 or any(count < REPEATED * value for count, value in zip(rows, values, strict=True)):
            continue
        decided = [
            it
            for m, other in enumerate(candidates)
            if m != n and (it := _decided(other, [held[n] for held in codes], [held[m] for held in codes])) is not None
        ]
        found += [
            Reference(by, kept, max(values))
            for kept in ([it for it in decided if it.share >= CERTAIN], [it for it in decided if it.share < CERTAIN])
            if kept
        ]
    return _named_apart(_apart(found), {it.name for it in fields}, owner, taken)


def _codes(duck: duckdb.DuckDBPyConnection, side: Side, fields: Sequence[FieldProposal]) -> list[np.ndarray]:
    """Each field's values in the sampled rows as numbers from 1; 0 where there is none."""
    if not fields:
        return []
    columns = [it.pair.a if side.letter == "a" else it.pair.b for it in fields]
    selected = ", ".join(f"hash(lower({filled_sql(it, it.sql)})) AS h{n}" for n, it in enumerate(columns))
    arrays = duck.execute(f"SELECT {selected} FROM {side.sample}").fetchnumpy()
    found = []
    for n in range(len(columns)):
        hashes = np.ma.getdata(arrays[f"h{n}"])
        codes = np.unique(hashes, return_inverse=True)[1] + 1
        found.append(np.where(hashes == null_hash(), 0, codes))
    return found


def _decided(other: FieldProposal, by: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> Decided | None:
    counts: list[int] = []
    for left, right in zip(by, values, strict=True):
        there = left > 0  # nothing is a value too: an attribute that is missing now and then is not decided
        held, rows, luck = _held(left[there], right[there])
        if not rows or held < WORTH_SAYING * rows or luck > BY_CHANCE:
            return None
        counts += [held, rows]
    return Decided(other, *counts)


def _held(left: np.ndarray, right: np.ndarray) -> tuple[int, int, float]:
    """Rows that follow the likeliest value, all rows, and the logarithm of the odds that chance alone did that."""
    if not len(left):
        return 0, 0, 0.0
    pairs, times = np.unique(left.astype(np.int64) * (int(right.max()) + 1) + right, return_counts=True)
    owner = pairs // (int(right.max()) + 1)
    most = np.zeros(int(left.max()) + 1, dtype=np.int64)
    np.maximum.at(most, owner, times)
    usual = np.bincount(right).max() / len(right)
    groups = int((most > 0).sum())
    luck = 0.0 if usual >= 1 else (int(most.sum()) - groups) * math.log(usual)
    return int(most.sum()), len(left), luck


def _apart(found: Sequence[Reference]) -> list[Reference]:
    """A field goes into one reference only, and what decides others is not itself decided."""
    kept: list[Reference] = []
    used: set[str] = set()
    deciding: set[str] = set()
    for it in sorted(found, key=_rank):
        free = [one for one in it.attributes if one.field.name not in used | deciding]
        if it.by.name in used or not free or (it.by.name in deciding):
            continue
        used |= {one.field.name for one in free}
        deciding.add(it.by.name)
        kept.append(Reference(it.by, free, it.values))
    return kept


def _rank(it: Reference) -> tuple[bool, int, bool, int]:
    named = any(GROUP.get(word) == "id" for word in words_of(it.by.name))
    return (not it.is_proposed, -len(it.attributes), not named, it.values)


def _named_apart(
    found: Sequence[Reference], fields: Collection[str], owner: str, taken: Collection[str]
) -> list[Reference]:
    """`brewery_id` deciding `brewery_name` is a `brewery` with id and name."""
    named: list[Reference] = []
    for it in found:
        own = {it.by.name, *(one.field.name for one in it.attributes)}
        used = (set(fields) - own) | {other.name for other in named} | {owner}
        words = [word for word in it.by.name.split("_") if GROUP.get(word) not in ("id", "name")]
        short = "_".join(words) or it.by.name
        name = next(
            name for name in (short, it.by.name, *(f"{short[:38]}_{n}" for n in range(2, 99))) if name not in used
        )
        code = f"{owner}_{name}"[:41] if name in taken else name
        named.append(replace(it, code=code, name=name, parts=_parts(it, short)))
    return named


def _parts(it: Reference, short: str) -> dict[str, str]:
    """The attributes' names, without the word that is the reference's own."""
    parts: dict[str, str] = {}
    for proposal in (it.by, *(one.field for one in it.attributes)):
        own = "name" if proposal.name == short else proposal.name.removeprefix(f"{short}_")
        parts[proposal.name] = own if own[:1].isalpha() and own not in parts.values() else proposal.name
    return parts
