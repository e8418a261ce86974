"""A scratch database is empty at the beginning, whoever had its engine before."""

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from ingestion import scratch
from ingestion.scratch import scratch_database

BOUNDS = {"threads": 1, "memory": "200MB"}


def names(duck: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables and views that are there."""
    query = "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
    return [name for (name,) in duck.execute(query).fetchall()]


def test_nothing_of_the_work_before_is_left(tmp_path: Path) -> None:
    for number in range(3):
        with scratch_database(tmp_path / str(number), **BOUNDS) as duck:
            assert names(duck) == []
            duck.execute(
                "CREATE TABLE kept AS SELECT 1; CREATE TEMP TABLE passing AS SELECT 1; CREATE VIEW seen AS SELECT 1"
            )
            duck.execute("BEGIN; INSERT INTO kept SELECT 2")
            assert len(names(duck)) == 3


def test_two_at_once_see_nothing_of_each_other(tmp_path: Path) -> None:
    with scratch_database(tmp_path, **BOUNDS) as one, scratch_database(tmp_path, **BOUNDS) as other:
        one.execute("CREATE TABLE mine AS SELECT 1")
        assert names(other) == []


def test_one_that_failed_or_spilled_is_not_lent_again(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error), scratch_database(tmp_path / "failed", **BOUNDS) as duck:
        duck.execute("SELECT * FROM nowhere")
    spilling = "CREATE TABLE big AS SELECT range AS n, md5(range::text) AS text FROM range(1000000)"
    for name in ("spilled", "after"):
        folder = tmp_path / name
        folder.mkdir()
        with scratch_database(folder, threads=1, memory="30MB") as duck:
            duck.execute(spilling)
            assert (folder / "spill").exists()


def test_settings_are_those_asked_for(tmp_path: Path) -> None:
    with scratch_database(tmp_path, threads=2, memory="300MB", preserve_insertion_order="false") as duck:
        query = "SELECT current_setting('threads'), current_setting('preserve_insertion_order'), current_setting('TimeZone')"
        assert duck.execute(query).fetchall() == [(2, False, "UTC")]


def test_threads_that_want_the_last_one_each_have_their_own(tmp_path: Path) -> None:
    def work(number: int) -> list[str]:
        found = []
        for _ in range(20):
            with scratch_database(tmp_path / str(number), **BOUNDS) as duck:
                found += names(duck)
                duck.execute("CREATE TABLE mine AS SELECT 1")
        return found

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [[]] * 4
    finally:
        sys.setswitchinterval(before)


def test_who_finds_none_waiting_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Overtaken(list):  # type: ignore[type-arg]
        """Another thread takes the last one between the look and the hand."""

        def __bool__(self) -> bool:
            return True

    monkeypatch.setattr(scratch, "_idle", defaultdict(Overtaken))
    with scratch_database(tmp_path, **BOUNDS) as duck:
        assert names(duck) == []
