"""The two digests of a stored row, in DuckDB (which writes them) and in PostgreSQL (which checks them).

`_hash` covers what the row says: its own values and the keys of its references by name, nulls left out, so that a field
added later changes no hash. A reference's attributes are covered by that reference's own versions. `_seal` covers the
hash and every technical column but `_valid_to`, which the next version's `_valid_from` answers for.
"""

import datetime as dt

from ingestion.shape import Leaf, canonical_sql
from ingestion.sql_text import literal
from reconciliation.store.tables import Tables

UNIT = "chr(31)"
MOMENT = "YYYY-MM-DD HH24:MI:SS.US"


def row_hash_sql(tables: Tables) -> str:
    """DuckDB SQL of `_hash` over a relation that has the leaves' columns. Outcome files carry this hash, too."""
    return _hash((name, leaf, canonical_sql(leaf, leaf.column)) for name, leaf in tables.hashed())


def row_hash_postgres(tables: Tables, expressions: dict[str, str]) -> str:
    """PostgreSQL SQL of `_hash`. `expressions` maps the hashed names (`amount`, `counterparty.name`) to SQL of values."""
    return _hash((name, leaf, canonical_postgres(leaf, expressions[name])) for name, leaf in tables.hashed())


def _hash(parts) -> str:  # type: ignore[no-untyped-def]
    texts = [f"{literal(name + '=')} || {_escaped(leaf, text)}" for name, leaf, text in parts]
    return f"md5(concat_ws({UNIT}, {', '.join(texts)}))"


def _escaped(leaf: Leaf, text: str) -> str:
    # A text may hold the separator; doubled, it cannot pass for one, since a name follows each separator.
    return f"replace({text}, {UNIT}, {UNIT} || {UNIT})" if leaf.kind == "text" else text


def canonical_postgres(leaf: Leaf, expression: str) -> str:
    """PostgreSQL SQL of a stored value's canonical text, equal to what DuckDB gives for it."""
    if leaf.kind == "datetime":
        return f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    if leaf.kind == "date":
        return f"to_char({expression}, 'YYYY-MM-DD')"
    return expression if leaf.kind == "text" else f"({expression})::text"


def seal_sql(run_id: int, decision_id: int | None, business_date: dt.date, moment: str) -> str:
    """DuckDB SQL of `_seal` over `_hash` and `_version`; the rest is the same for every row of a load."""
    rest = "\x1f".join(["", str(run_id), str(decision_id or ""), business_date.isoformat(), moment])
    return f"md5(concat(_hash, {UNIT}, _version, {literal(rest)}))"


SEAL_POSTGRES = (
    f"md5(concat_ws({UNIT}, t._hash, t._version, t._run, coalesce(t._decision::text, ''), to_char(t._date, 'YYYY-MM-DD'), "
    f"to_char(t._valid_from AT TIME ZONE 'UTC', '{MOMENT}')))"
)
