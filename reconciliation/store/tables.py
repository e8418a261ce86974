"""The layout of the store: which table and columns hold a record type.

A record type that others refer to has an identity table (its key, never versioned) and, if it has more fields, a
version table; one that nobody refers to is a single versioned table. References are foreign keys to identities.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from ingestion.models import Field, RecordType
from ingestion.models.record_type import shape_of
from ingestion.shape import Leaf, Shape

SCHEMA = "store"


class StoreRefusal(Exception):
    """The store cannot hold this; the sentence says why and what to do."""


def postgres_type(leaf: Leaf) -> str:
    """The PostgreSQL type that holds a leaf exactly."""
    return {
        "text": "text",
        "integer": "bigint",
        "decimal": f"numeric({leaf.digits},{leaf.places})",
        "date": "date",
        "datetime": "timestamp",
        "boolean": "boolean",
    }[leaf.kind]


@dataclass(frozen=True)
class Column:
    """A column of a stored row: a scalar leaf, or a reference with its leaves, of which some are its key."""

    name: str
    leaf: Leaf | None
    reference: "StoreTable | None" = None
    leaves: tuple[Leaf, ...] = ()
    is_key: bool = False

    @property
    def key_leaves(self) -> tuple[Leaf, ...]:
        """The leaves of a reference's key, in the order of the target's key."""
        return tuple(leaf for leaf in self.leaves if leaf.reference_key)

    @property
    def sql_type(self) -> str:
        """The PostgreSQL type."""
        if self.leaf is None:
            return "bigint"
        # A text sorts by its bytes: keys are loaded in this order, and no locale of a server can change what is equal.
        return postgres_type(self.leaf) + (' COLLATE "C"' if self.leaf.kind == "text" else "")


@dataclass(frozen=True)
class StoreTable:
    """A record type's place in the store."""

    record_type: RecordType
    shape: Shape
    columns: tuple[Column, ...]
    has_identity: bool
    is_delivered: bool = False

    @property
    def owner(self) -> str:
        """Whose tables these are, as the tables' comments say it."""
        return f"record type {self.record_type.pk}, generation {self.record_type.generation}"

    @property
    def base(self) -> str:
        """The record type's code; a later generation has its number behind it."""
        generation = self.record_type.generation
        return self.record_type.code if generation == 1 else f"{self.record_type.code}_{generation}"

    @property
    def versions(self) -> str:
        """The name of the versioned table."""
        return f"{self.base}_version" if self.has_identity else self.base

    @property
    def has_versions(self) -> bool:
        """False only for an identity without further fields that no source delivers."""
        return not self.has_identity or self.is_delivered or self.has_attributes

    @property
    def has_attributes(self) -> bool:
        """Whether there is more than the key."""
        return any(not column.is_key for column in self.columns)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key."""
        return tuple(column for column in self.columns if column.is_key)

    @property
    def version_columns(self) -> tuple[Column, ...]:
        """The columns of the versioned table beside the technical ones."""
        return tuple(c for c in self.columns if not c.is_key) if self.has_identity else self.columns

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns of the versioned table that say whose version a row is."""
        return ("_identity",) if self.has_identity else tuple(column.name for column in self.key_columns)

    def name(self, table: str) -> sql.Identifier:
        """A table's quoted name."""
        return sql.Identifier(SCHEMA, table)


def store_table(record_type: RecordType) -> StoreTable:
    """The layout of a record type, from its definition.

    StoreRefusal when a type that others refer to has references itself.
    """
    return _layout(record_type, record_type.opened_fields())


def _layout(record_type: RecordType, fields: Sequence[Field]) -> StoreTable:
    is_referred = any(field.is_referred for field in fields)  # type: ignore[attr-defined]
    chained = [field.code for field in fields if is_referred and field.refers_to_id is not None]
    if chained:
        raise StoreRefusal(
            f"Record type {record_type.code!r} is referred to and refers to others by {chained[0]!r}. References go one step; "
            f"make {chained[0]!r} a plain field, or drop the reference to {record_type.code!r}."
        )
    shape = shape_of(record_type, fields)
    columns = tuple(_column(field, shape) for field in fields)
    is_delivered = any(field.is_delivered for field in fields)  # type: ignore[attr-defined]
    return StoreTable(record_type, shape, columns, is_referred, is_delivered)


def _column(field: Field, shape: Shape) -> Column:
    if field.refers_to is None:
        return Column(field.code, shape.leaf(field.code), is_key=field.is_key)
    leaves = tuple(leaf for leaf in shape.leaves if leaf.reference == field.code)
    return Column(field.code, None, _layout(field.refers_to, field.attributes), leaves, is_key=field.is_key)


def references(table: StoreTable) -> Sequence[Column]:
    """The reference columns."""
    return [column for column in table.columns if column.reference is not None]


def targets(table: StoreTable) -> list[StoreTable]:
    """The types referred to, each once, by id."""
    found = {c.reference.record_type.pk: c.reference for c in table.columns if c.reference is not None}
    return [found[pk] for pk in sorted(found)]


def is_named(leaves: Sequence[Leaf], alias: str = "") -> str:
    """DuckDB SQL of whether a reference's key is complete."""
    return " AND ".join(f"{alias}{leaf.column} IS NOT NULL" for leaf in leaves)
