"""The shape of a record, as plain values: what the pure parts know of a RecordType.

A shape has one leaf per typed value. A scalar field is one leaf; a reference field is one leaf per mapped attribute of
the type that it refers to. `compared` groups leaves under the names that people see: the key attributes of a reference
are compared together under the field's name, its other attributes as `field.attribute`.
"""

from dataclasses import dataclass
from functools import cached_property

KINDS = ("text", "integer", "decimal", "date", "datetime", "boolean")


@dataclass(frozen=True)
class Leaf:
    """One typed value of a record.

    `path` is the mapping's name (`counterparty.name`), `name` the name in records and reports (`counterparty` where the
    reference has a single key attribute), `column` the name in Parquet and DuckDB (`f7`, `f7_12`).
    """

    path: str
    name: str
    column: str
    kind: str
    digits: int = 18
    places: int = 0
    key: bool = False
    reference: str | None = None
    reference_key: bool = False
    choices: tuple[str, ...] = ()
    sensitive: bool = False

    @property
    def sql_type(self) -> str:
        """The DuckDB type that holds this leaf exactly."""
        return {
            "text": "VARCHAR",
            "integer": "BIGINT",
            "decimal": f"DECIMAL({self.digits},{self.places})",
            "date": "DATE",
            "datetime": "TIMESTAMP",
            "boolean": "BOOLEAN",
        }[self.kind]


@dataclass(frozen=True)
class Compared:
    """A name under which values are compared, and its leaves (several only for a reference with a composite key)."""

    name: str
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Shape:
    """The leaves of a record type in the order of the definition."""

    code: str
    leaves: tuple[Leaf, ...]

    @cached_property
    def key_leaves(self) -> tuple[Leaf, ...]:
        """The leaves whose canonical texts, joined by `|`, are the key."""
        return tuple(leaf for leaf in self.leaves if leaf.key)

    @cached_property
    def compared(self) -> tuple[Compared, ...]:
        """What is compared, in order; key leaves are left out, since they are equal by matching."""
        groups: dict[str, list[Leaf]] = {}
        for leaf in self.leaves:
            if not leaf.key:
                groups.setdefault(leaf.reference if leaf.reference and leaf.reference_key else leaf.name, []).append(
                    leaf
                )
        return tuple(Compared(name, tuple(leaves)) for name, leaves in groups.items())

    def leaf(self, name: str) -> Leaf:
        """The leaf of this name or path; KeyError names what was asked for."""
        for leaf in self.leaves:
            if name in (leaf.name, leaf.path):
                return leaf
        raise KeyError(name)


def key_part_sql(shape: Shape, leaf: Leaf, text: str) -> str:
    """SQL, for DuckDB and PostgreSQL, of a key leaf's canonical text as it stands in the key's text: alone just as it is;
    among several `\\` and `|` are escaped, so that no two keys have one text."""
    is_open = leaf.kind == "text" and len(shape.key_leaves) > 1
    return f"replace(replace({text}, '\\', '\\\\'), '|', '\\|')" if is_open else text


def canonical_sql(leaf: Leaf, expression: str) -> str:
    """SQL of a leaf's canonical text in DuckDB: ISO dates and UTC times, plain decimals with all places, true / false."""
    if leaf.kind == "datetime":
        fraction = f"CASE WHEN epoch_us({expression}) % 1000000 = 0 THEN 'Z' ELSE rtrim(strftime({expression}, '.%f'), '0') || 'Z' END"
        return f"strftime({expression}, '%Y-%m-%dT%H:%M:%S') || {fraction}"
    if leaf.kind == "text":
        return expression
    if leaf.kind == "decimal" and leaf.digits == leaf.places:
        return f"regexp_replace(CAST({expression} AS VARCHAR), '^(-?)[.]', '\\10.')"  # DuckDB leaves its zero out
    return f"CAST({expression} AS VARCHAR)"
