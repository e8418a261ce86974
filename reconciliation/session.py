"""A DuckDB session for one step: memory bounded, spilling into the step's own folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from django.conf import settings

from ingestion import lake
from ingestion.sql_text import literal


@contextmanager
def session(name: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A DuckDB connection and the work folder that it may spill into; both are gone afterwards."""
    folder = lake.work_folder(name)
    duck = duckdb.connect()
    try:
        for setting in (
            f"SET temp_directory = {literal(str(folder / 'spill'))}",
            f"SET memory_limit = {literal(settings.ENGINE_MEMORY)}",
            f"SET threads = {settings.ENGINE_THREADS}",
            "SET preserve_insertion_order = false",
            "SET TimeZone = 'UTC'",
        ):
            duck.execute(setting)
        yield duck, folder
    finally:
        duck.close()
        lake.discard(folder)
