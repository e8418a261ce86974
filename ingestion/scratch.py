"""A scratch database for one piece of work: DuckDB in memory, empty at the beginning, gone at the end.

An engine takes 12 ms of CPU to make and under one to empty, so engines are lent again: a decision stores one record, and
the nightly run of a small source takes ten of them.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion.sql_text import literal

KEPT = 4  # engines of the same settings that wait for work, in one process
UTC = "SET TimeZone = 'UTC'"

_idle: dict[object, list[duckdb.DuckDBPyConnection]] = defaultdict(list)


@contextmanager
def scratch_database(folder: Path, *, threads: int, memory: str, **more: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database that spills into `folder`/spill; `more` are further settings of DuckDB, as SQL."""
    spill = folder / "spill"
    settings = {"threads": str(threads), "memory_limit": literal(memory)} | more
    idle = _idle[os.getpid(), *settings.items()]  # by process: a forked one has none of its parent's threads
    engine = _taken(idle) or duckdb.connect()
    clean = False
    try:
        with engine.cursor() as duck:
            for name, value in (settings | {"temp_directory": literal(str(spill))}).items():
                duck.execute(f"SET {name} = {value}")
            duck.execute(f"{UTC}; ATTACH ':memory:' AS scratch; USE scratch")
            yield duck
        engine.execute("DETACH scratch")
        clean = len(idle) < KEPT and not spill.exists()  # after spilling an engine keeps to its folder
    finally:
        if clean:
            idle.append(engine)
        else:
            engine.close()


def _taken(idle: list[duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection | None:
    """An engine that waits, if one does: asked and taken at once, since another thread may take the last one."""
    try:
        return idle.pop()
    except IndexError:
        return None
