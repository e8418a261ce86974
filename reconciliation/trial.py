"""Trial: a definition tried on two files by the very engine, without the database; nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ingestion.file_format import FileFormat
from ingestion.framing import Framed
from ingestion.mapping import field_mappings
from ingestion.normalize import Normalized, normalize
from ingestion.scratch import scratch_database
from ingestion.shape import Leaf, Shape
from ingestion.sql_text import literal
from reconciliation.engine.duckdb_engine import CompareSpec, compare
from reconciliation.engine.rules import CompareRule

Document = Mapping[str, object]
EXAMPLES = 3


@dataclass(frozen=True)
class TrialSide:
    """A framed file with its format and mapping document."""

    framed: Framed
    format_: FileFormat
    mapping: Mapping[str, Document]


@dataclass(frozen=True)
class Trial:
    """What would have come out. `cells` counts differing cells by field, `examples` shows some (key, a, b)."""

    matched: int
    differing: int
    only_a: int
    only_b: int
    duplicate: int
    side_a: Normalized
    side_b: Normalized
    cells: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, Sequence[tuple[str, str | None, str | None]]] = field(default_factory=dict)

    @property
    def common(self) -> int:
        """Keys that stand once on both sides."""
        return self.matched + self.differing

    @property
    def share(self) -> float:
        """The share of common keys that would match."""
        return self.matched / self.common if self.common else 0.0


def shape_of(code: str, fields: Mapping[str, Document], types: Mapping[str, Mapping[str, Document]]) -> Shape:
    """The shape of a record type as a definition writes it. `types` are the fields of the types that it refers to."""
    leaves: list[Leaf] = []
    for n, (name, document) in enumerate(fields.items()):
        if document["type"] != "reference":
            leaves.append(_leaf(name, name, f"f{n}", document, key=bool(document.get("key"))))
            continue
        inner = types[str(document["to"])]
        single = sum(bool(it.get("key")) for it in inner.values()) == 1
        leaves += [
            _leaf(
                f"{name}.{attribute}", name if single and it.get("key") else f"{name}.{attribute}", f"f{n}_{m}", it,
                key=bool(document.get("key") and it.get("key")), reference=name, reference_key=bool(it.get("key")),
            )
            for m, (attribute, it) in enumerate(inner.items())
        ]  # fmt: skip
    return Shape(code, tuple(leaves))


def _leaf(
    path: str,
    name: str,
    column: str,
    document: Document,
    *,
    key: bool,
    reference: str | None = None,
    reference_key: bool = False,
) -> Leaf:
    return Leaf(
        path, name, column, str(document["type"]), digits=int(str(document.get("digits", 18))),
        places=int(str(document.get("places", 0))), key=key, reference=reference, reference_key=reference_key,
    )  # fmt: skip


def try_out(
    a: TrialSide,
    b: TrialSide,
    shape: Shape,
    rules: Mapping[str, Document],
    folder: Path,
    *,
    threads: int = 2,
    memory: str = "1GB",
) -> Trial:
    """Normalize both files and compare them. `folder` is for work files."""
    done = [
        _normalized(side, shape, folder / f"trial_{letter}.parquet", threads, memory)
        for letter, side in (("a", a), ("b", b))
    ]
    with scratch_database(folder, threads=threads, memory=memory, preserve_insertion_order="false") as duck:
        for letter in ("a", "b"):
            path = literal(str(folder / f"trial_{letter}.parquet"))
            duck.execute(
                f"CREATE TEMP VIEW {letter} AS SELECT *, 1::BIGINT AS delivery, false AS carried FROM read_parquet({path})"
            )
        compare(duck, "a", "b", _spec(a, b, shape, rules), records=False)
        return _counted(duck, done[0], done[1])


def _normalized(side: TrialSide, shape: Shape, target: Path, threads: int, memory: str) -> Normalized:
    mappings = list(field_mappings(side.mapping).values())
    return normalize(side.framed, side.format_, shape, mappings, target, threads=threads, memory=memory)


def _spec(a: TrialSide, b: TrialSide, shape: Shape, rules: Mapping[str, Document]) -> CompareSpec:
    mapped = [frozenset(leaf.name for leaf in shape.leaves if leaf.path in side.mapping) for side in (a, b)]
    parsed = {name: CompareRule.from_document(document) for name, document in rules.items()}
    return CompareSpec(shape, parsed, mapped_a=mapped[0], mapped_b=mapped[1])


def _counted(duck: duckdb.DuckDBPyConnection, side_a: Normalized, side_b: Normalized) -> Trial:
    classes = dict(duck.execute("SELECT class, count(*) FROM pair GROUP BY class").fetchall())
    repeated = duck.execute("SELECT count(*) FROM repeated_key").fetchall()[0][0]
    cells = dict(duck.execute("SELECT field, count(*) FROM cell GROUP BY field ORDER BY 2 DESC, 1").fetchall())
    shown = duck.execute(
        "SELECT field, key, coalesce(raw_a, value_a), coalesce(raw_b, value_b) FROM cell "
        f"QUALIFY row_number() OVER (PARTITION BY field ORDER BY key) <= {EXAMPLES} ORDER BY field, key"
    ).fetchall()
    examples: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for name, key, left, right in shown:
        examples.setdefault(name, []).append((key, left, right))
    return Trial(
        classes.get("matched", 0), classes.get("differing", 0), classes.get("missing_in_b", 0),
        classes.get("missing_in_a", 0), int(repeated), side_a, side_b, cells, examples,
    )  # fmt: skip
