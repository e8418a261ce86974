"""What cannot be stored together, or at all: found by SQL over a relation before the gate lets its records through."""

from collections.abc import Sequence

import duckdb

from ingestion.shape import Leaf, Shape, canonical_sql
from ingestion.sql_text import literal, quoted
from reconciliation.store.tables import StoreRefusal, is_named

KEY_BYTES = 2000  # a longer key does not fit into an index of PostgreSQL
FIRST_DAY = "0001-01-01"


def reference_conflicts(duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape, into: str) -> int:
    """Create `into`(key, condition, sentence) with the records of `relation` that have to be held back. Gives how many rows.

    A record is held when a reference has another value for one attribute elsewhere in the relation, under the same field
    or another field of the same type.
    """
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(into)} (key VARCHAR, condition VARCHAR, sentence VARCHAR)")
    for leaves in _same_attributes(shape):
        duck.execute(f"INSERT INTO {quoted(into)} {_conflicting(relation, shape, leaves)}")
    return int(duck.execute(f"SELECT count(*) FROM {quoted(into)}").fetchall()[0][0])


def _same_attributes(shape: Shape) -> list[list[Leaf]]:
    """The leaves of references that hold the same attribute of the same type: `f7_12` and `f8_12`."""
    groups: dict[str, list[Leaf]] = {}
    for leaf in shape.leaves:
        if leaf.reference is not None and not leaf.reference_key:
            groups.setdefault(leaf.column.partition("_")[2], []).append(leaf)
    return list(groups.values())


def _conflicting(relation: str, shape: Shape, leaves: Sequence[Leaf]) -> str:
    said = " UNION ALL ".join(_said(relation, shape, leaf) for leaf in leaves)
    low, high = (canonical_sql(leaves[0], f"c.{side}") for side in ("low", "high"))
    return (
        f"WITH said AS ({said}), conflict AS (SELECT owner, min(value) AS low, max(value) AS high FROM said "
        "GROUP BY owner HAVING min(value) <> max(value)) "
        "SELECT DISTINCT s.key, 'reference:' || s.name, s.name || ' has two values for ' || array_to_string(s.owner, ', ') "
        f"|| ': ' || {low} || ' and ' || {high} || '.' FROM said s JOIN conflict c ON c.owner = s.owner"
    )


def _said(relation: str, shape: Shape, leaf: Leaf) -> str:
    keys = [it for it in shape.leaves if it.reference == leaf.reference and it.reference_key]
    owner = ", ".join(canonical_sql(key, key.column) for key in keys)
    return (
        f"SELECT key, {literal(leaf.name)} AS name, [{owner}] AS owner, {leaf.column} AS value FROM {quoted(relation)} "
        f"WHERE {is_named(keys)} AND {leaf.column} IS NOT NULL"
    )


def unstorable_sql(relation: str, shape: Shape) -> str:
    """DuckDB SQL of (key, condition, sentence) of the records with a value that no table of the store can hold."""
    selects = [f"SELECT key, '' AS condition, '' AS sentence FROM {quoted(relation)} WHERE false"]
    for name, keys in _keys(shape).items():
        lengths = " + ".join(f"coalesce(strlen({leaf.column}), 0)" for leaf in keys if leaf.kind == "text")
        texts = f"({lengths or 0})"
        sentence = f"' has ' || {texts} || ' bytes; a key may have {KEY_BYTES}.'"
        selects.append(_held(relation, name, f"{texts} > {KEY_BYTES}", sentence))
        empty, given = (" OR ".join(f"{leaf.column} IS {it}" for leaf in keys) for it in ("NULL", "NOT NULL"))
        sentence = "' has a key with an empty part. Fill it, or empty the whole key.'"
        selects.append(_held(relation, name, f"({empty}) AND ({given})", sentence))
    for leaf in shape.leaves:
        if leaf.reference is not None and not leaf.reference_key:
            keys = _keys(shape)[leaf.reference]
            lone = " AND ".join([f"{leaf.column} IS NOT NULL", *(f"{key.column} IS NULL" for key in keys)])
            sentence = f"' is given, but {leaf.reference} is empty, so there is nothing that has it.'"
            selects.append(_held(relation, leaf.name, lone, sentence))
        if leaf.kind in ("date", "datetime"):
            early = f"{leaf.column} < DATE '{FIRST_DAY}'"
            selects.append(_held(relation, leaf.name, early, "' is before the year 1.'"))
    return " UNION ALL ".join(selects)


def _keys(shape: Shape) -> dict[str, list[Leaf]]:
    """The leaves that an index has together: the record's own key, and the key of each reference."""
    groups: dict[str, list[Leaf]] = {}
    for leaf in shape.leaves:
        if leaf.reference is None and leaf.key:
            groups.setdefault("the key", []).append(leaf)
        elif leaf.reference is not None and leaf.reference_key:
            groups.setdefault(leaf.reference, []).append(leaf)
    return groups


def _held(relation: str, name: str, test: str, sentence: str) -> str:
    condition = literal("storable:" + name)
    return f"SELECT key, {condition}, {literal(name)} || {sentence} FROM {quoted(relation)} WHERE {test}"


def refuse_unstorable(duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape) -> None:
    """StoreRefusal when a relation has a record that no table can hold; the gate should have held it back."""
    found = duck.execute(f"SELECT key, sentence FROM ({unstorable_sql(relation, shape)}) LIMIT 1").fetchall()
    for key, sentence in found:
        raise StoreRefusal(f"The record {key} cannot be stored: {sentence}")
