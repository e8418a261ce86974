"""Outcome files: the lines that the statement is made of, in the order of their keys."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from reconciliation import outcomes

PAIRS = 60_000
KEY = "lpad(CAST(hash(i) % 1000000007 AS VARCHAR), 10, '0')"
CLASSES = "['matched', 'matched', 'matched', 'differing', 'missing_in_a', 'missing_in_b', 'confirmed', 'out_of_scope', 'superseded']"
MADE = f"""
CREATE TEMP TABLE pair AS SELECT * EXCLUDE (i), CASE WHEN class <> 'missing_in_a' THEN i END AS a_n,
    CASE WHEN class <> 'missing_in_b' THEN i END AS b_n, 1::BIGINT AS a_delivery, 2::BIGINT AS b_delivery,
    i % 7 = 0 AS a_carried, CASE WHEN i % 11 > 1 THEN false WHEN i % 11 = 1 THEN true END AS b_carried FROM (
    SELECT i, {KEY} AS key, ({CLASSES})[1 + i % 9] AS class, CASE WHEN i % 5 > 0 THEN md5(CAST(i AS VARCHAR)) END AS hash
    FROM range({PAIRS}) t(i));
CREATE TEMP TABLE refusal AS SELECT key FROM pair WHERE a_n % 18 = 0;
CREATE TEMP TABLE repeated AS SELECT {KEY} AS key, 'b' AS side, 2::BIGINT AS delivery, i AS n, i % 3 = 0 AS carried
    FROM range({PAIRS}, {PAIRS} + 90) t(i);
CREATE TEMP TABLE overtaken AS SELECT 'a' AS side, {KEY} AS key, 0::BIGINT AS delivery, i AS n FROM range({PAIRS}, {PAIRS} + 30_000) t(i);
CREATE TEMP TABLE fresh_a AS SELECT delivery, n FROM overtaken UNION ALL SELECT a_delivery, a_n FROM pair WHERE a_n IS NOT NULL AND NOT a_carried;
CREATE TEMP TABLE fresh_b AS SELECT delivery, n FROM repeated WHERE NOT carried
    UNION ALL SELECT b_delivery, b_n FROM pair WHERE b_n IS NOT NULL AND NOT b_carried;
"""


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """A range of 60,000 pairs of all kinds that is compared, with the engine as a step sets it."""
    with duckdb.connect() as made:
        made.execute("SET threads = 2; SET preserve_insertion_order = false")
        made.execute(MADE)
        yield made


@pytest.fixture
def written(duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> str:
    """The range's file, as SQL."""
    given: Any = SimpleNamespace(money=None)
    outcomes.write(duck, given, tmp_path / "outcomes.parquet")
    return f"'{tmp_path / 'outcomes.parquet'}'"


def test_a_file_has_the_lines_that_the_statement_is_made_of(duck: duckdb.DuckDBPyConnection, written: str) -> None:
    said, file = f"SELECT {outcomes.LINE} FROM outcome", f"SELECT {outcomes.LINE} FROM read_parquet({written})"
    for one, other in ((said, file), (file, said)):
        assert duck.execute(f"SELECT * FROM ({one} EXCEPT ALL {other}) LIMIT 3").fetchall() == []
    states = dict(duck.execute(f"SELECT state, count(*) FROM ({file}) GROUP BY state").fetchall())
    assert sorted(states) == ["in_break", "out_of_scope", "stored", "superseded"]


def test_a_key_may_stand_in_few_groups_of_a_file(duck: duckdb.DuckDBPyConnection, written: str) -> None:
    groups = duck.execute(
        f"SELECT stats_min_value, stats_max_value FROM parquet_metadata({written}) WHERE path_in_schema = 'key'"
    ).fetchall()
    keys = [key for (key,) in duck.execute(f"SELECT key FROM read_parquet({written}) USING SAMPLE 500").fetchall()]
    assert len(groups) > 5
    # in the order of pairs it is one, and one more among what later deliveries replaced; a group may begin with the last key of another
    assert max(sum(low <= key <= high for low, high in groups) for key in keys) <= 4
