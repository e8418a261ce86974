"""Small reads of the lake by pages and checks: one in-memory engine a process, a connection of its own for each caller."""

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import duckdb

from ingestion.sql_text import literal

MEMORY = "500MB"
KEPT = 200  # statements that a thread keeps


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()  # made at the first use, never before a worker forks; 50 ms that no page should wait for
    engine.execute(f"SET threads = 1; SET memory_limit = '{MEMORY}'")
    return engine


def lookup() -> duckdb.DuckDBPyConnection:
    """A connection to be closed by `with`; one that is shared refuses a second thread."""
    return _engine().cursor()


class _Mine(threading.local):
    """A thread's connection, and the names of the statements that it keeps."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Connect anew, with no statement kept."""
        self.duck = lookup()
        self.names: dict[str, str] = {}

    def name_of(self, statement: str) -> str:
        """The name under which the statement is kept."""
        if (name := self.names.get(statement)) is None:
            if len(self.names) >= KEPT:
                self.duck.close()
                self.begin()
            name = f"kept_{len(self.names)}"
            self.duck.execute(f"PREPARE {name} AS {statement}")
            self.names[statement] = name
        return name


@cache
def _mine() -> _Mine:
    return _Mine()


def answers(statement: str, given: Sequence[str | None]) -> list[tuple[Any, ...]]:
    """The rows of a statement over given texts ($1, $2 ...), which is planned once a thread: planning takes ten times as long as
    looking at one record."""
    mine = _mine()
    name = mine.name_of(statement)
    texts = ", ".join("NULL" if it is None else literal(it) for it in given)  # EXECUTE takes no parameters of Python's
    return mine.duck.execute(f"EXECUTE {name}({texts})").fetchall()
