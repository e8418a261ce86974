"""What records say of the types that they refer to: one record of the referred-to type per identity."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from ingestion.buckets import bucket_sql
from ingestion.shape import Leaf, canonical_sql, key_part_sql
from ingestion.sql_text import quoted
from reconciliation.engine.record_hash import own_leaves, record_hash_sql
from reconciliation.store.current import current_rows
from reconciliation.store.tables import Column, StoreTable, is_named, references


@dataclass(frozen=True)
class Saying:
    """The records that speak: their relation, the names of the leaves that the mappings fill, and whether each names its own
    decision in a column `decision`."""

    relation: str
    mapped: frozenset[str]
    each_decided: bool = False


def referred_relation(duck: duckdb.DuckDBPyConnection, saying: Saying, table: StoreTable, target: StoreTable) -> str:
    """Create the records of `target` that the references of `saying` speak of (key, bucket, the target's leaves, hash). Gives their
    table. Where each names its own decision, the first one that speaks of a thing counts.

    Several references may name the same type; an attribute that nothing mapped speaks of keeps its stored value.
    """
    said = f"referred_{target.record_type.pk}"
    columns = [column for column in references(table) if column.reference == target]
    keys = ", ".join(leaf.column for leaf in target.shape.key_leaves)
    attributes = [leaf for leaf in target.shape.leaves if not leaf.key]
    values = ", ".join(
        f"max({leaf.column}) AS {leaf.column}, bool_or(is_{leaf.column}) AS is_{leaf.column}" for leaf in attributes
    )
    values += ", min(decision) AS decision" if saying.each_decided else ""
    spoken = " UNION ALL ".join(_spoken(saying, column, target) for column in columns)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE spoken AS SELECT {keys}, {values} FROM ({spoken}) GROUP BY {keys}")
    duck.execute(f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT {_key_sql(target)} AS key, * FROM spoken")
    current_rows(duck, "keyed", target.shape, target.record_type, "stored_referred")
    kept = ", ".join(
        f"CASE WHEN k.is_{leaf.column} THEN k.{leaf.column} ELSE s.{leaf.column} END AS {leaf.column}"
        for leaf in attributes
    )
    own_keys = ", ".join(f"k.{leaf.column}" for leaf in target.shape.key_leaves)
    own_keys += ", k.decision" if saying.each_decided else ""
    hashed = own_leaves(target.shape)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE {said} AS SELECT *, {bucket_sql('key')} AS bucket, "
        f"{record_hash_sql(hashed, [leaf.column for leaf in hashed])} AS hash FROM "
        f"(SELECT k.key, {own_keys}, {kept} FROM keyed k LEFT JOIN stored_referred s ON s.key = k.key)"
    )
    return said


def _spoken(saying: Saying, column: Column, target: StoreTable) -> str:
    parts = ["decision"] if saying.each_decided else []
    for ours, theirs in _pairs(column, target):
        parts.append(f"{theirs.column} AS {ours.column}")
        if not ours.key:
            parts.append(f"{'true' if theirs.name in saying.mapped else 'false'} AS is_{ours.column}")
    return f"SELECT {', '.join(parts)} FROM {quoted(saying.relation)} WHERE {is_named(column.key_leaves)}"


def _pairs(column: Column, target: StoreTable) -> Iterator[tuple[Leaf, Leaf]]:
    """The target's own leaves beside the leaves of the reference."""
    theirs = {leaf.path: leaf for leaf in column.leaves}
    for leaf in target.shape.leaves:
        yield leaf, theirs[f"{column.name}.{leaf.path}"]


def _key_sql(target: StoreTable) -> str:
    shape = target.shape
    return " || '|' || ".join(key_part_sql(shape, it, canonical_sql(it, it.column)) for it in shape.key_leaves)
