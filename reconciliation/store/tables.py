"""The layout of the store: which table and columns hold a record type.

A record type that others refer to has an identity table (its key, never versioned) and, if it has more fields, a
version table; one that nobody refers to is a single versioned table. References are foreign keys to identities.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from ingestion.models import RecordType
from ingestion.shape import Leaf, Shape

SCHEMA = "store"


@dataclass(frozen=True)
class Column:
    """A column of a stored row: a scalar leaf, or a reference with the leaves of its key."""

    name: str
    leaf: Leaf | None
    reference: "StoreTable | None" = None
    key_leaves: tuple[Leaf, ...] = ()
    is_key: bool = False

    @property
    def sql_type(self) -> str:
        """The PostgreSQL type."""
        if self.leaf is None:
            return "bigint"
        return {
            "text": 'text COLLATE "C"',
            "integer": "bigint",
            "decimal": f"numeric({self.leaf.digits},{self.leaf.places})",
            "date": "date",
            "datetime": "timestamp",
            "boolean": "boolean",
        }[self.leaf.kind]


@dataclass(frozen=True)
class StoreTable:
    """A record type's place in the store."""

    record_type: RecordType
    shape: Shape
    columns: tuple[Column, ...]
    has_identity: bool

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
        """False only for an identity without further fields."""
        return not self.has_identity or any(not column.is_key for column in self.columns)

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key."""
        return tuple(column for column in self.columns if column.is_key)

    @property
    def version_columns(self) -> tuple[Column, ...]:
        """The columns of the versioned table beside the technical ones."""
        return tuple(c for c in self.columns if not c.is_key) if self.has_identity else self.columns

    def name(self, table: str) -> sql.Identifier:
        """A table's quoted name."""
        return sql.Identifier(SCHEMA, table)


def store_table(record_type: RecordType) -> StoreTable:
    """The layout of a record type, from its definition."""
    shape = record_type.shape()
    columns = tuple(_column(field, shape) for field in record_type.current_fields())
    return StoreTable(record_type, shape, columns, has_identity=record_type.referring.exists())


def _column(field: object, shape: Shape) -> Column:
    code, is_key, refers_to = field.code, field.is_key, field.refers_to  # type: ignore[attr-defined]
    if refers_to is None:
        return Column(code, shape.leaf(code), is_key=is_key)
    leaves = tuple(leaf for leaf in shape.leaves if leaf.reference == code and leaf.reference_key)
    return Column(code, None, store_table(refers_to), leaves, is_key=is_key)


def references(table: StoreTable) -> Sequence[Column]:
    """The reference columns."""
    return [column for column in table.columns if column.reference is not None]
