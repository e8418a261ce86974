"""A DuckDB session for one step: memory bounded, spilling into the step's own folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from django.conf import settings

from ingestion import lake
from ingestion.scratch import scratch_database


@contextmanager
def session(name: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """An empty database and the work folder that it may spill into; both are gone afterwards."""
    folder = lake.work_folder(name)
    threads, memory = settings.ENGINE_THREADS, settings.ENGINE_MEMORY
    try:
        with scratch_database(folder, threads=threads, memory=memory, preserve_insertion_order="false") as duck:
            yield duck, folder
    finally:
        lake.discard(folder)
