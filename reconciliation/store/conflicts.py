"""Conflicts: two different values for one attribute of a reference within a run."""

import duckdb

from ingestion.shape import Shape, canonical_sql
from ingestion.sql_text import literal, quoted


def reference_conflicts(duck: duckdb.DuckDBPyConnection, relation: str, shape: Shape, into: str) -> int:
    """Create `into`(key, condition, sentence) with the records whose reference has two values for one attribute in
    `relation`. Gives how many."""
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(into)} (key VARCHAR, condition VARCHAR, sentence VARCHAR)")
    for leaf in shape.leaves:
        if leaf.reference is None or leaf.reference_key:
            continue
        keys = [it.column for it in shape.leaves if it.reference == leaf.reference and it.reference_key]
        owner = ", ".join(keys)
        same = " AND ".join(f"c.{key} = r.{key}" for key in keys)
        text = canonical_sql(leaf, leaf.column)
        duck.execute(
            f"INSERT INTO {quoted(into)} SELECT r.key, {literal('reference:' + leaf.name)}, "
            f"{literal(leaf.name + ' has two values for one ' + leaf.reference + ': ')} || c.low || ' and ' || c.high || '.' "
            f"FROM {relation} r JOIN (SELECT {owner}, min({text}) AS low, max({text}) AS high FROM {relation} "
            f"GROUP BY {owner} HAVING count(DISTINCT {leaf.column}) > 1) c ON {same}"
        )
    return int(duck.execute(f"SELECT count(*) FROM {quoted(into)}").fetchall()[0][0])
