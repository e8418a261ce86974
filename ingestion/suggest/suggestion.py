"""Suggestion: everything that is proposed for two files. `suggest` makes it; nothing is written anywhere."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingestion.errors import IngestionError
from ingestion.scratch import scratch_database
from ingestion.suggest.aligned import align
from ingestion.suggest.column import Column, profile
from ingestion.suggest.field import FieldProposal
from ingestion.suggest.fields import propose_fields
from ingestion.suggest.keys import Key, counted, find_keys
from ingestion.suggest.pairs import Unpaired, pair_columns
from ingestion.suggest.references import Reference, find_references
from ingestion.suggest.side import Side, read_side

ALIGNED_ROWS = 20_000  # pairs of rows that columns are compared on
CELLS = 8_000_000  # rows times pairs of columns, at most
SUFFIXES = {".gz", ".csv", ".tsv", ".txt", ".dat", ".psv"}
NOISE = re.compile(r"\d{6,}|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}-\d{4}")


@dataclass(frozen=True)
class Suggestion:
    """What is proposed. `keys`: the best first, `keys[0]` is used; `compared`: pairs of rows that the evidence is of."""

    name: str
    codes: tuple[str, str]
    sides: tuple[Side, Side]
    columns: tuple[list[Column], list[Column]]
    keys: Sequence[Key]
    fields: Sequence[FieldProposal]
    unpaired: Sequence[Unpaired]
    compared: int
    references: Sequence[Reference] = ()

    def path_of(self, field: FieldProposal) -> str:
        """The field's name in a mapping: an attribute of a reference has two parts."""
        for it in self.references:
            if it.is_proposed and field.name in it.parts:
                return f"{it.name}.{it.parts[field.name]}"
        return field.name

    def compared_as(self, field: FieldProposal) -> str:
        """The name under which its values are compared."""
        by = {it.by.name: it.name for it in self.references if it.is_proposed}
        return by.get(field.name) or self.path_of(field)


class NothingInCommon(IngestionError):
    """Two files of which nothing can be compared."""


def suggest(
    a: Path,
    b: Path,
    folder: Path,
    *,
    name: str = "",
    taken: Collection[str] = (),
    threads: int = 2,
    memory: str = "1GB",
) -> Suggestion:
    """Propose a definition. IngestionError says in a sentence why there is none. `folder` is for work files; `taken` are
    codes that stand for something else already."""
    with scratch_database(folder, threads=threads, memory=memory) as duck:
        return _suggest(duck, a, b, folder, name, taken)


def _suggest(
    duck: duckdb.DuckDBPyConnection, a: Path, b: Path, folder: Path, name: str, taken: Collection[str]
) -> Suggestion:
    sides = read_side(duck, "a", a, folder), read_side(duck, "b", b, folder)
    columns = profile(duck, sides[0]), profile(duck, sides[1])
    keys = find_keys(duck, sides, columns)
    limit = max(500, min(ALIGNED_ROWS, CELLS // (len(columns[0]) * len(columns[1]))))
    aligned = align(duck, keys[0].parts, *columns, limit=limit)
    keys = [replace(counted(keys[0], aligned), thin=1), *keys[1:]]
    pairs, unpaired = pair_columns(aligned, keys[0], *columns)
    if len(pairs) == len(keys[0].parts):
        raise NothingInCommon(
            f"{keys[0].common:,} values of {keys[0].name} stand in both files, but no other column of {a.name} agrees "
            f"with one of {b.name} more often than by chance, so there is nothing to compare. "
            "Name two files of the same records."
        )
    fields = propose_fields(duck, pairs, aligned, keys[0])
    named = name or _free(_name(a, b), taken)
    codes = _codes(a, b, named, () if name else taken)
    references = find_references(duck, sides, fields, named, taken)
    return Suggestion(named, codes, sides, columns, keys, fields, unpaired, aligned.rows, references)


def _stem(path: Path) -> str:
    while path.suffix.lower() in SUFFIXES:
        path = path.with_suffix("")
    return path.name


def _code(text: str) -> str:
    """A code of the letters and digits of a text; empty where there are none."""
    plain = re.sub(r"[^a-z0-9]+", "_", NOISE.sub("", text).lower()).strip("_")
    plain = re.sub(r"^[0-9_]+", "", plain)
    return plain[:36].strip("_")


def _name(a: Path, b: Path) -> str:
    """What the file names have in common, else the folder that holds both, else both names."""
    left, right = _code(_stem(a)).split("_"), _code(_stem(b)).split("_")
    common = [word for word in left if word in right and len(word) > 1]
    if common:
        return _code("_".join(common)) or "records"
    if a.resolve().parent == b.resolve().parent and _code(a.resolve().parent.name):
        return _code(a.resolve().parent.name)
    return _code("_".join([*left, "and", *right])) or "records"


def _free(name: str, taken: Collection[str]) -> str:
    return next(it for it in (name, *(f"{name}_{n}" for n in range(2, 999))) if it not in taken)


def _codes(a: Path, b: Path, name: str, taken: Collection[str]) -> tuple[str, str]:
    """Codes of the two sources: the file names, under the reconciliation's name where they do not hold it."""
    made = []
    for letter, path in (("a", a), ("b", b)):
        code = _code(_stem(path)) or letter
        made.append(code if name in code and code != name else _code(f"{name}_{code}"[:36]))
    if made[0] == made[1] or name in made or set(made) & set(taken):
        return f"{name[:34]}_a", f"{name[:34]}_b"
    return made[0], made[1]
