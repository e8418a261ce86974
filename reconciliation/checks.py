"""Record checks over the pairs of a range: which keys the gate refuses, and in which words."""

import datetime as dt

import duckdb

from ingestion.shape import Shape
from ingestion.sql_text import literal
from reconciliation.gate import failing_sql
from reconciliation.rules import Rules
from reconciliation.store.conflicts import reference_conflicts, unstorable_sql
from reconciliation.store.current import known_keys


def refuse(duck: duckdb.DuckDBPyConnection, shape: Shape, rules: Rules, business_date: dt.date) -> None:
    """Create the table `refusal`(key, condition, sentence) over the proposed records of `pair`."""
    duck.execute("CREATE TEMP TABLE refusal (key VARCHAR, condition VARCHAR, sentence VARCHAR)")
    for check in rules.gate.checks:
        known = known_keys(duck, shape, check.field) if check.rule == "known" else None
        test, sentence = failing_sql(shape, check, known)
        duck.execute(
            f"INSERT INTO refusal SELECT key, {literal(check.code)}, {sentence} FROM pair "
            f"WHERE class NOT IN ('out_of_scope', 'confirmed', 'superseded') AND coalesce({test}, false)"
        )
    duck.execute(
        "CREATE TEMP VIEW storable AS SELECT * FROM pair WHERE class NOT IN ('out_of_scope', 'confirmed', 'superseded')"
    )
    duck.execute(f"INSERT INTO refusal {unstorable_sql('storable', shape)}")
    duck.execute("CREATE TEMP VIEW referring AS SELECT * FROM pair WHERE class = 'matched'")
    if reference_conflicts(duck, "referring", shape, "conflict"):
        duck.execute("INSERT INTO refusal SELECT key, condition, sentence FROM conflict")
