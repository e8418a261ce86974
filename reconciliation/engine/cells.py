"""SQL of the cells: one row per differing name of a pair, read again from both sides for those pairs only."""

from collections.abc import Sequence

from ingestion.shape import Compared, canonical_sql
from ingestion.sql_text import literal
from reconciliation.engine.equality import flagged_sql

CREATE_CELL = (
    "CREATE OR REPLACE TEMP TABLE cell (key VARCHAR, bucket UTINYINT, field VARCHAR, kind VARCHAR, "
    "value_a VARCHAR, value_b VARCHAR, raw_a VARCHAR, raw_b VARCHAR)"
)
SIDES = ("a", "b")


def cells_sql(a: str, b: str, differing: Sequence[tuple[Compared, str]]) -> str:
    """The cells of some names, each with the SQL that is true where the pair differs in it."""
    leaves = [leaf for compared, _ in differing for leaf in compared.leaves]
    columns = ", ".join(
        f"{side}.{prefix}{leaf.column} AS {side}_{prefix}{leaf.column}"
        for side in SIDES
        for leaf in leaves
        for prefix in ("", "raw_")
    )
    tests = ", ".join(f"{test} AS d{n}" for n, (_, test) in enumerate(differing))
    parts = (_cells_of(compared, n) for n, (compared, _) in enumerate(differing))
    return (
        f"WITH wrong AS MATERIALIZED (SELECT p.key, p.bucket, {tests}, {columns}, a.flags AS a_flags, b.flags AS b_flags "
        f"FROM (SELECT * FROM pair WHERE class = 'differing') p JOIN {a} a ON a.key = p.key JOIN {b} b ON b.key = p.key) "
        + " UNION ALL ".join(parts)
    )


def _cells_of(compared: Compared, number: int) -> str:
    flagged = " OR ".join(flagged_sql(f"{side}_flags", compared.leaves) for side in SIDES)
    empty = {side: " AND ".join(f"{side}_{leaf.column} IS NULL" for leaf in compared.leaves) for side in SIDES}
    kind = f"CASE WHEN {flagged} THEN 'type' WHEN ({empty['a']}) <> ({empty['b']}) THEN 'missing' ELSE 'value' END"
    return (
        f"SELECT key, bucket, {literal(compared.name)} AS field, {kind} AS kind, "
        f"{_value('a', compared)} AS value_a, {_value('b', compared)} AS value_b, "
        f"{_raw('a', compared)} AS raw_a, {_raw('b', compared)} AS raw_b FROM wrong WHERE d{number}"
    )


def _value(side: str, compared: Compared) -> str:
    """The canonical text; the raw text where the value is flagged."""
    return _joined(_values(side, compared))


def _values(side: str, compared: Compared) -> list[str]:
    return [
        f"CASE WHEN {flagged_sql(f'{side}_flags', [leaf])} THEN {side}_raw_{leaf.column} "
        f"ELSE {canonical_sql(leaf, f'{side}_{leaf.column}')} END"
        for leaf in compared.leaves
    ]


def _raw(side: str, compared: Compared) -> str:
    """The source's text where it is not the canonical one; of several leaves all texts, when one has such a text."""
    raws = [f"{side}_raw_{leaf.column}" for leaf in compared.leaves]
    if len(raws) == 1:
        return raws[0]
    texts = _joined([f"coalesce({raw}, {value})" for raw, value in zip(raws, _values(side, compared), strict=True)])
    return f"CASE WHEN {' OR '.join(f'{raw} IS NOT NULL' for raw in raws)} THEN {texts} END"


def _joined(texts: Sequence[str]) -> str:
    """Texts joined by `|`, an empty place for a null; null when all are."""
    if len(texts) == 1:
        return texts[0]
    places = ", ".join(f"coalesce({text}, '')" for text in texts)
    return f"CASE WHEN {' OR '.join(f'({text}) IS NOT NULL' for text in texts)} THEN concat_ws('|', {places}) END"
