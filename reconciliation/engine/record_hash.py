"""The hash of a record: md5 over the canonical texts of its own leaves, the same in DuckDB, PostgreSQL and Python.

A reference's further attributes are rows of their own in the store, with hashes of their own.
"""

import hashlib
from collections.abc import Mapping, Sequence

from ingestion.shape import Leaf, Shape, canonical_sql

NULL, JOIN = chr(30), chr(31)


def own_leaves(shape: Shape) -> tuple[Leaf, ...]:
    """The leaves that a record's own row holds: scalars and the keys of references."""
    return tuple(leaf for leaf in shape.leaves if leaf.reference is None or leaf.reference_key)


def record_hash_sql(leaves: Sequence[Leaf], columns: Sequence[str]) -> str:
    """DuckDB SQL over typed columns."""
    texts = (f"coalesce({canonical_sql(leaf, column)}, chr(30))" for leaf, column in zip(leaves, columns, strict=True))
    return f"md5(concat_ws(chr(31), {', '.join(texts)}))"


def record_hash_postgres(leaves: Sequence[Leaf], columns: Sequence[str]) -> str:
    """PostgreSQL SQL over typed columns."""
    texts = (f"coalesce({_postgres(leaf, column)}, chr(30))" for leaf, column in zip(leaves, columns, strict=True))
    return f"md5(concat_ws(chr(31), {', '.join(texts)}))"


def _postgres(leaf: Leaf, column: str) -> str:
    if leaf.kind == "datetime":
        return f"to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    return f"{column}::text"


def record_hash(shape: Shape, record: Mapping[str, str | None]) -> str:
    """Python, over canonical texts by leaf name."""
    texts = (record.get(leaf.name) for leaf in own_leaves(shape))
    return hashlib.md5(JOIN.join(NULL if t is None else t for t in texts).encode(), usedforsecurity=False).hexdigest()
