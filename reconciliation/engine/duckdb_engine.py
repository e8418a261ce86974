"""The difference engine on DuckDB: two relations in; pairs, cells and repeated keys out. Pure, set-based, exact."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from ingestion.shape import Compared, Leaf, Shape, canonical_sql
from ingestion.sql_text import literal
from reconciliation.engine.business_days import Calendar
from reconciliation.engine.equality import differs_sql, flagged_sql
from reconciliation.engine.record_hash import own_leaves, record_hash_sql
from reconciliation.engine.rules import CompareRule

EXACT = CompareRule()


@dataclass(frozen=True)
class CompareSpec:
    """What decides a comparison. `mapped_a`, `mapped_b`: leaf names that a side fills; `authority`: name to a or b."""

    shape: Shape
    rules: Mapping[str, CompareRule] = field(default_factory=dict)
    mapped_a: frozenset[str] = frozenset()
    mapped_b: frozenset[str] = frozenset()
    authority: Mapping[str, str] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    one_sided: str = "both"

    def both_map(self, compared: Compared) -> bool:
        """Whether a name is compared: both sides fill it."""
        return all(leaf.name in self.mapped_a and leaf.name in self.mapped_b for leaf in compared.leaves)

    def proposed_side(self, leaf: Leaf) -> str:
        """Whose value is proposed where both sides are there: the authority's, unless only the other fills it."""
        name = leaf.reference if leaf.reference else leaf.name
        side = self.authority.get(leaf.name) or self.authority.get(name) or "a"
        mapped = self.mapped_a if side == "a" else self.mapped_b
        return side if leaf.name in mapped else ("b" if side == "a" else "a")


def compare(duck: duckdb.DuckDBPyConnection, a: str, b: str, spec: CompareSpec) -> None:
    """Create the temp tables `repeated`, `pair` and `cell` from the normalized relations `a` and `b`.

    `repeated`(key, bucket, side, delivery, n, carried, position): every row of a key that stands more than once on a side.
    `pair`: one row per other key with its class, where its rows stand, how many names differ, the proposed value of each
    leaf and their hash. `cell`: one row per differing name of a differing pair.
    """
    _find_repeated(duck, a, b)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE pair AS {_pair_sql(a, b, spec)}")
    duck.execute(f"CREATE OR REPLACE TEMP TABLE cell AS {_cell_sql(a, b, spec)}")


def _find_repeated(duck: duckdb.DuckDBPyConnection, a: str, b: str) -> None:
    twice = " UNION ".join(f"SELECT key FROM {side} GROUP BY key HAVING count(*) > 1" for side in (a, b))
    duck.execute(f"CREATE OR REPLACE TEMP TABLE repeated_key AS {twice}")
    rows = " UNION ALL ".join(
        f"SELECT key, bucket, {literal(side)} AS side, delivery, n, carried, "
        f"row_number() OVER (PARTITION BY key ORDER BY delivery, n) AS position "
        f"FROM {relation} WHERE key IN (SELECT key FROM repeated_key)"
        for side, relation in (("a", a), ("b", b))
    )
    duck.execute(f"CREATE OR REPLACE TEMP TABLE repeated AS {rows}")


def _pair_sql(a: str, b: str, spec: CompareSpec) -> str:
    names = spec.shape.compared
    tests = ", ".join(
        f"{differs_sql(it, spec.rules.get(it.name, EXACT), spec.calendar, both_mapped=spec.both_map(it))} AS d{n}"
        for n, it in enumerate(names)
    )
    tests = f"{tests}, " if tests else ""
    proposed = ", ".join(f"{_proposed(leaf, spec)} AS {leaf.column}" for leaf in spec.shape.leaves)
    count = " + ".join(f"CAST(d{n} AS USMALLINT)" for n in range(len(names))) or "0"
    own = own_leaves(spec.shape)
    hashed = record_hash_sql(own, [leaf.column for leaf in own])
    return (
        f"WITH joined AS (SELECT coalesce(a.key, b.key) AS key, coalesce(a.bucket, b.bucket) AS bucket, "
        f"a.delivery AS a_delivery, a.n AS a_n, a.carried AS a_carried, "
        f"b.delivery AS b_delivery, b.n AS b_n, b.carried AS b_carried, "
        f"a.key IS NOT NULL AND b.key IS NOT NULL AS is_both, {tests}{proposed} "
        f"FROM {_once(a)} a FULL OUTER JOIN {_once(b)} b ON a.key = b.key) "
        f"SELECT * EXCLUDE (is_both), {count} AS differs, {_class_sql(count, spec)} AS class, {hashed} AS hash FROM joined"
    )


def _once(relation: str) -> str:
    return f"(SELECT * FROM {relation} WHERE key NOT IN (SELECT key FROM repeated_key))"


def _proposed(leaf: Leaf, spec: CompareSpec) -> str:
    side = spec.proposed_side(leaf)
    return (
        f"CASE WHEN a.key IS NULL THEN b.{leaf.column} WHEN b.key IS NULL THEN a.{leaf.column} "
        f"ELSE {side}.{leaf.column} END"
    )


def _class_sql(count: str, spec: CompareSpec) -> str:
    lonely_b = "out_of_scope" if spec.one_sided == "a" else "missing_in_a"
    lonely_a = "out_of_scope" if spec.one_sided == "b" else "missing_in_b"
    return (
        f"CASE WHEN a_n IS NULL THEN '{lonely_b}' WHEN b_n IS NULL THEN '{lonely_a}' "
        f"WHEN {count} > 0 THEN 'differing' ELSE 'matched' END"
    )


def _cell_sql(a: str, b: str, spec: CompareSpec) -> str:
    """One row per differing name, from the two sides' rows of the differing keys only."""
    parts = [_cells_of(it, n) for n, it in enumerate(spec.shape.compared)]
    if not parts:
        return (
            "SELECT NULL::VARCHAR AS key, NULL::UTINYINT AS bucket, NULL::VARCHAR AS field, NULL::VARCHAR AS kind, "
            "NULL::VARCHAR AS value_a, NULL::VARCHAR AS value_b, NULL::VARCHAR AS raw_a, NULL::VARCHAR AS raw_b WHERE false"
        )
    flags = ", ".join(f"p.d{n}" for n in range(len(parts)))
    leaves = spec.shape.leaves
    sides = ", ".join(
        f"{side}.{prefix}{leaf.column} AS {side}_{prefix}{leaf.column}"
        for side in ("a", "b")
        for leaf in leaves
        for prefix in ("", "raw_")
    )
    return (
        f"WITH wrong AS MATERIALIZED (SELECT p.key, p.bucket, {flags}, {sides}, a.flags AS a_flags, b.flags AS b_flags "
        f"FROM (SELECT * FROM pair WHERE class = 'differing') p JOIN {a} a ON a.key = p.key JOIN {b} b ON b.key = p.key) "
        + " UNION ALL ".join(parts)
    )


def _cells_of(compared: Compared, number: int) -> str:
    flagged = " OR ".join(
        flagged_sql(side, leaf).replace(f"{side}.flags", f"{side}_flags")
        for side in ("a", "b")
        for leaf in compared.leaves
    )
    empty = {side: " AND ".join(f"{side}_{leaf.column} IS NULL" for leaf in compared.leaves) for side in ("a", "b")}
    kind = f"CASE WHEN {flagged} THEN 'type' WHEN ({empty['a']}) <> ({empty['b']}) THEN 'missing' ELSE 'value' END"
    return (
        f"SELECT key, bucket, {literal(compared.name)} AS field, {kind} AS kind, "
        f"{_shown('a', compared)} AS value_a, {_shown('b', compared)} AS value_b, "
        f"{_raw('a', compared)} AS raw_a, {_raw('b', compared)} AS raw_b FROM wrong WHERE d{number}"
    )


def _shown(side: str, compared: Compared) -> str:
    """The canonical text; the raw text where the value is flagged."""
    parts = []
    for leaf in compared.leaves:
        flagged = flagged_sql(side, leaf).replace(f"{side}.flags", f"{side}_flags")
        text = canonical_sql(leaf, f"{side}_{leaf.column}")
        parts.append(f"CASE WHEN {flagged} THEN {side}_raw_{leaf.column} ELSE {text} END")
    return parts[0] if len(parts) == 1 else f"concat_ws('|', {', '.join(parts)})"


def _raw(side: str, compared: Compared) -> str:
    parts = [f"{side}_raw_{leaf.column}" for leaf in compared.leaves]
    return parts[0] if len(parts) == 1 else f"concat_ws('|', {', '.join(parts)})"
