"""The hash of a record: md5 over the canonical texts of its own leaves, the same in DuckDB, PostgreSQL and Python.

Each text stands under its leaf's path, in the order of the paths, and nulls are left out: a field that is added later
changes no hash of a record that does not have it. A reference's further attributes are rows of their own in the store,
with hashes of their own.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from ingestion.shape import Leaf, Shape, canonical_sql

JOIN = chr(31)


def own_leaves(shape: Shape) -> tuple[Leaf, ...]:
    """The leaves that a record's own row holds: scalars and the keys of references."""
    return tuple(leaf for leaf in shape.leaves if leaf.reference is None or leaf.reference_key)


def record_hash_sql(leaves: Sequence[Leaf], columns: Sequence[str]) -> str:
    """DuckDB SQL over typed columns. A row without nulls and separators takes a way that costs two thirds."""
    by_path = _by_path(leaves, columns)
    plain = [f"{column} IS NOT NULL" for _, column in by_path]
    plain += [f"NOT contains({column}, chr(31))" for leaf, column in by_path if leaf.kind == "text"]
    parts = (
        f"'{JOIN if n else ''}{leaf.path}=', {canonical_sql(leaf, column)}" for n, (leaf, column) in enumerate(by_path)
    )
    return (
        f"CASE WHEN {' AND '.join(plain)} THEN md5(concat({', '.join(parts)})) "
        f"ELSE {_hash_sql(leaves, columns, canonical_sql)} END"
    )


def record_hash_postgres(leaves: Sequence[Leaf], columns: Sequence[str]) -> str:
    """PostgreSQL SQL over typed columns."""
    return _hash_sql(leaves, columns, canonical_postgres)


def canonical_postgres(leaf: Leaf, column: str) -> str:
    """PostgreSQL SQL of a leaf's canonical text, equal to DuckDB's."""
    if leaf.kind == "datetime":
        return f"rtrim(rtrim(to_char({column}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || 'Z'"
    if leaf.kind == "date":
        return f"to_char({column}, 'YYYY-MM-DD')"
    return f"{column}::text"


def _hash_sql(leaves: Sequence[Leaf], columns: Sequence[str], canonical: Callable[[Leaf, str], str]) -> str:
    texts = (
        f"'{leaf.path}=' || {_escaped(leaf, canonical(leaf, column))}" for leaf, column in _by_path(leaves, columns)
    )
    return f"md5(concat_ws(chr(31), {', '.join(texts)}))"


def _by_path(leaves: Sequence[Leaf], columns: Sequence[str]) -> list[tuple[Leaf, str]]:
    return sorted(zip(leaves, columns, strict=True), key=lambda pair: pair[0].path)


def _escaped(leaf: Leaf, text: str) -> str:
    # A text may hold the separator; doubled, it cannot pass for one, because a path follows each separator.
    return f"replace({text}, chr(31), chr(31) || chr(31))" if leaf.kind == "text" else text


def record_hash(shape: Shape, record: Mapping[str, str | None]) -> str:
    """Python, over canonical texts by leaf name."""
    leaves = sorted(own_leaves(shape), key=lambda leaf: leaf.path)
    given = ((leaf.path, record.get(leaf.name)) for leaf in leaves)
    text = JOIN.join(f"{path}={value.replace(JOIN, JOIN + JOIN)}" for path, value in given if value is not None)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
