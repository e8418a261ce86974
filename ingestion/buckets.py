"""The bucket of a record: in which of 64 parts its key falls, the same in every source, run and table of the store."""

import hashlib

BUCKETS = 64


def bucket_sql(key: str) -> str:
    """DuckDB SQL of the bucket of a key's text, given as SQL."""
    return f"CAST(md5_number_lower({key}) % {BUCKETS} AS UTINYINT)"


def bucket_of(key: str) -> int:
    """The same in Python: the last eight bytes of the md5, little-endian, modulo the number of buckets."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[8:], "little") % BUCKETS
