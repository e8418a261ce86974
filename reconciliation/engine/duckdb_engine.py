"""The difference engine on DuckDB: two relations in; pairs, cells and repeated keys out. Pure, set-based, exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from ingestion.shape import Compared, Leaf, Shape
from ingestion.sql_text import literal
from reconciliation.engine.authority import proposed_side
from reconciliation.engine.business_days import Calendar
from reconciliation.engine.cells import CREATE_CELL, cells_sql
from reconciliation.engine.equality import flagged_sql, identical_sql, tolerated_sql
from reconciliation.engine.record_hash import own_leaves, record_hash_sql
from reconciliation.engine.rules import CompareRule

EXACT = CompareRule()
MASK = 60  # names whose differing is kept in one whole number


@dataclass(frozen=True)
class CompareSpec:
    """What decides a comparison. `mapped_a`, `mapped_b`: leaf names that a side fills; `authority`: name to a or b.
    `beside`: columns of which a pair keeps the values of both sides, as `a_` and `b_` and the column's name."""

    shape: Shape
    rules: Mapping[str, CompareRule] = field(default_factory=dict)
    mapped_a: frozenset[str] = frozenset()
    mapped_b: frozenset[str] = frozenset()
    authority: Mapping[str, str] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=Calendar)
    one_sided: str = "both"
    beside: tuple[str, ...] = ()

    def compares(self, compared: Compared) -> bool:
        """Whether the values of a name are compared: no rule skips them and both sides fill them."""
        both = all(leaf.name in self.mapped_a and leaf.name in self.mapped_b for leaf in compared.leaves)
        return both and not self.rule(compared).skip

    def rule(self, compared: Compared) -> CompareRule:
        """The rule of a name, which may be written as the mapping's path; exact without one."""
        paths = (leaf.path for leaf in compared.leaves)
        return next((self.rules[name] for name in (compared.name, *paths) if name in self.rules), EXACT)

    def proposed_side(self, leaf: Leaf) -> str:
        """Whose value is proposed where both sides are there: the authority's, unless only the other fills it."""
        return proposed_side(leaf, self.authority, self.mapped_a, self.mapped_b)


def compare(duck: duckdb.DuckDBPyConnection, a: str, b: str, spec: CompareSpec, *, records: bool = True) -> None:
    """Create the temp tables `repeated`, `pair` and `cell` from the normalized relations `a` and `b`.

    `repeated`(key, bucket, side, delivery, n, carried, position): every row of a key that stands more than once on a side.
    `pair`: one row per other key with its class, where its rows stand, how many names differ (0 where a side is missing),
    and with `records` the proposed value of each leaf and their hash. `cell`: one row per differing name of a differing
    pair.
    """
    repeated = _find_repeated(duck, a, b)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE pair AS {_pair_sql(a, b, spec, repeated=repeated, records=records)}")
    if repeated:  # B's rows of repeated keys found no partner, since A's were left out of the join
        duck.execute("DELETE FROM pair WHERE a_n IS NULL AND key IN (SELECT key FROM repeated_key)")
    duck.execute(CREATE_CELL)
    if differing := _differing_names(duck, spec.shape.compared):
        duck.execute(f"INSERT INTO cell {cells_sql(a, b, differing)}")


def _find_repeated(duck: duckdb.DuckDBPyConnection, a: str, b: str) -> bool:
    """Create `repeated_key` and `repeated`, and say whether there are any."""
    twice = " UNION ".join(f"SELECT key FROM {side} GROUP BY key HAVING count(*) > 1" for side in (a, b))
    duck.execute(f"CREATE OR REPLACE TEMP TABLE repeated_key AS {twice}")
    found = bool(duck.execute("SELECT count(*) FROM repeated_key").fetchall()[0][0])
    chosen = "key IN (SELECT key FROM repeated_key)" if found else "false"
    rows = " UNION ALL ".join(
        f"SELECT key, bucket, {literal(side)} AS side, delivery, n, carried, "
        f"row_number() OVER (PARTITION BY key ORDER BY delivery, n) AS position FROM {relation} WHERE {chosen}"
        for side, relation in (("a", a), ("b", b))
    )
    duck.execute(f"CREATE OR REPLACE TEMP TABLE repeated AS {rows}")
    return found


def _pair_sql(a: str, b: str, spec: CompareSpec, *, repeated: bool, records: bool) -> str:
    masks = [
        f"CASE WHEN a.key IS NULL OR b.key IS NULL THEN 0 ELSE {_mask_sql(spec, names)} END::UBIGINT AS m{n}"
        for n, names in enumerate(_masked(spec.shape.compared))
    ]
    proposed = [f"{_proposed(leaf, spec)} AS {leaf.column}" for leaf in spec.shape.leaves] if records else []
    beside = [f"{side}.{column} AS {side}_{column}" for column in spec.beside for side in ("a", "b")]
    differs = " + ".join(f"bit_count(m{n})" for n in range(len(masks))) or "0"
    own = own_leaves(spec.shape)
    hashed = f", {record_hash_sql(own, [leaf.column for leaf in own])} AS hash" if records else ""
    once = f"(SELECT * FROM {a} WHERE key NOT IN (SELECT key FROM repeated_key))" if repeated else a
    return (
        f"WITH joined AS (SELECT coalesce(a.key, b.key) AS key, coalesce(a.bucket, b.bucket) AS bucket, "
        f"a.delivery AS a_delivery, a.n AS a_n, a.carried AS a_carried, "
        f"b.delivery AS b_delivery, b.n AS b_n, b.carried AS b_carried, {', '.join([*masks, *proposed, *beside])} "
        f"FROM {once} a FULL OUTER JOIN {b} b ON a.key = b.key) "
        f"SELECT *, ({differs})::USMALLINT AS differs, {_class_sql(spec)} AS class{hashed} FROM joined"
    )


def _masked(names: Sequence[Compared]) -> list[Sequence[Compared]]:
    return [names[start : start + MASK] for start in range(0, len(names), MASK)]


def _mask_sql(spec: CompareSpec, names: Sequence[Compared]) -> str:
    """A whole number with the bit of each name that differs; a flagged value always differs.

    Most rows are identical in everything: a test that ends at the first difference spares them the rest, and one that
    knows no nulls is the cheapest.
    """
    compared = [it for it in names if spec.compares(it)]
    unequal = [_unequal(spec, it, 1 << n) for n, it in enumerate(names) if it in compared]
    both = "concat_ws(',', a.flags, b.flags)"
    flagged = " | ".join(_bit(flagged_sql(both, it.leaves), 1 << n) for n, it in enumerate(names))
    any_flagged = f"CASE WHEN a.flags IS NULL AND b.flags IS NULL THEN 0::UBIGINT ELSE {flagged} END"
    sound = ["a.flags IS NULL", "b.flags IS NULL"]
    filled = " AND ".join([*sound, *(f"a.{leaf.column} = b.{leaf.column}" for it in compared for leaf in it.leaves)])
    same = " AND ".join([*sound, *(identical_sql(it) for it in compared)])
    rest = " | ".join([*unequal, any_flagged])
    return f"CASE WHEN {filled} THEN 0::UBIGINT WHEN {same} THEN 0::UBIGINT ELSE {rest} END"


def _bit(test: str, bit: int) -> str:
    return f"CASE WHEN {test} THEN {bit}::UBIGINT ELSE 0::UBIGINT END"


def _unequal(spec: CompareSpec, compared: Compared, bit: int) -> str:
    """The bit where a name's values differ. The tolerant test runs only on rows whose values are not identical."""
    tolerated = tolerated_sql(compared, spec.rule(compared), spec.calendar)
    rest = f" WHEN {tolerated} THEN 0::UBIGINT" if tolerated else ""
    return f"CASE WHEN {identical_sql(compared)} THEN 0::UBIGINT{rest} ELSE {bit}::UBIGINT END"


def _proposed(leaf: Leaf, spec: CompareSpec) -> str:
    side = spec.proposed_side(leaf)
    other = "b" if side == "a" else "a"
    return f"CASE WHEN {side}.key IS NULL THEN {other}.{leaf.column} ELSE {side}.{leaf.column} END"


def _class_sql(spec: CompareSpec) -> str:
    lonely_b = "out_of_scope" if spec.one_sided == "a" else "missing_in_a"
    lonely_a = "out_of_scope" if spec.one_sided == "b" else "missing_in_b"
    return (
        f"CASE WHEN a_n IS NULL THEN '{lonely_b}' WHEN b_n IS NULL THEN '{lonely_a}' "
        f"WHEN differs > 0 THEN 'differing' ELSE 'matched' END"
    )


def _differing_names(duck: duckdb.DuckDBPyConnection, names: Sequence[Compared]) -> list[tuple[Compared, str]]:
    """The names that differ in any pair, each with the SQL that is true where a pair differs in it."""
    masks = range(len(_masked(names)))
    if not masks:
        return []
    found = duck.execute(f"SELECT {', '.join(f'coalesce(bit_or(m{n}), 0)' for n in masks)} FROM pair").fetchall()[0]
    return [
        (it, f"(p.m{n // MASK} & {1 << n % MASK}) <> 0")
        for n, it in enumerate(names)
        if found[n // MASK] & (1 << n % MASK)
    ]
