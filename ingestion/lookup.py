"""Small reads of the lake by pages and checks: one in-memory engine a process, a connection of its own for each caller."""

from functools import cache

import duckdb


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()  # made at the first use, never before a worker forks; 50 ms that no page should wait for
    engine.execute("SET threads = 1")
    return engine


def lookup() -> duckdb.DuckDBPyConnection:
    """A connection to be closed by `with`; one that is shared refuses a second thread."""
    return _engine().cursor()
