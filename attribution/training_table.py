"""The training table: confirmed reasons with the differences that they explain, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd

from attribution.cases import doubted_differences, labelled, load_cases, no_late, unnamed_differences
from attribution.context import context_of
from attribution.difference_rows import OF_RECORD, acted_through, create_rows
from attribution.explaining import explain_cases
from attribution.provers.evidence import UNKNOWN
from ingestion.shape import Shape
from ingestion.sql_text import literal
from reconciliation.bulk import copy_out
from reconciliation.inputs import leaf_text
from reconciliation.models import Reconciliation
from reconciliation.money import money_of
from reconciliation.rules import Rules

MOST_VALUES = 0.2  # of the labels: a field with more values than that names single records, not habits
MOST_UNNAMED = 20_000  # differences without a label that a model learns from, too
MOST_HABITS = 6  # fields; those with the fewest values come first


@dataclass(frozen=True)
class TrainingTable:
    """`rows`: what the model may see, a row a label, with `reason`, `day` (business date), what the provers would pass
    (`functional`, `confidence`), `record` (its break), `is_whole` (every difference of that has a label), `drawn` (why chance drew
    that, if it did) and `probability` (that it did), the record's `amount` and `currency`; `habits`: the fields of the record that people act through."""

    rows: pd.DataFrame
    habits: tuple[str, ...]
    # What waits for a second person, or nobody could tell: it teaches nothing, but a certificate counts it as wrong.
    waiting: pd.DataFrame
    # What nobody gave a reason, the newest last: only what the model may see.
    unnamed: pd.DataFrame


def training_table(duck: duckdb.DuckDBPyConnection, reconciliation: Reconciliation, rules: Rules) -> TrainingTable:
    """Every label of a field's difference, by delivery, first date field and key, and differences without one. The provers speak anew, so that what
    they lean to is as it will be in the next run."""
    shape = reconciliation.record_type.shape()
    doubted = doubted_differences(reconciliation)
    unnamed = set(unnamed_differences(reconciliation, MOST_UNNAMED)).difference(doubted)
    load_cases(duck, labelled(reconciliation, [*doubted, *unnamed]), shape)
    no_late(duck)
    explain_cases(duck, shape, context_of(rules, shape))
    leaves = [leaf.name for leaf in acted_through(shape)]
    create_rows(duck, shape, leaves)
    _load_labels(duck, reconciliation, doubted)
    found = duck.execute(_table_sql(shape, rules)).df()
    found["place"] = range(len(found))
    waits = found["waits"].astype(bool)
    rows = found[~waits].reset_index(drop=True)
    return TrainingTable(rows, _habits(rows, leaves), found[waits].reset_index(drop=True), duck.execute(_UNNAMED).df())


_UNNAMED = (
    "SELECT f.* EXCLUDE (ids, no, said, id) FROM (SELECT *, unnest(ids) AS id FROM field_row) f ANTI JOIN label l ON l.id = f.id "
    "ORDER BY f.id"
)


def _load_labels(duck: duckdb.DuckDBPyConnection, reconciliation: Reconciliation, doubted: Sequence[int]) -> None:
    copy_out(
        duck,
        "SELECT d.id, c.reason, r.business_date, "
        "(SELECT min(m.delivery_id) FROM reconciliation_member m WHERE m.break_id = d.break_id AND m.current), "
        "NOT EXISTS (SELECT 1 FROM reconciliation_difference o LEFT JOIN attribution_correction l ON l.difference_id = o.id "
        "AND (l.active OR l.waiting_since IS NOT NULL) WHERE o.break_id = d.break_id AND o.current AND l.id IS NULL AND o.id <> ALL(%s)), "
        "w.purpose, w.probability, c.waits FROM (SELECT difference_id, reason_id AS reason, waiting_since IS NOT NULL AS waits "
        "FROM attribution_correction WHERE active OR waiting_since IS NOT NULL "
        f"UNION ALL SELECT unnest(%s::bigint[]), {literal(UNKNOWN)}, true) c JOIN reconciliation_difference d ON d.id = c.difference_id "
        "JOIN reconciliation_break b ON b.id = d.break_id JOIN reconciliation_run r ON r.id = d.run_id "
        "LEFT JOIN LATERAL (SELECT w.purpose, w.probability::float FROM attribution_draw w WHERE w.break_id = b.id "
        "ORDER BY w.id DESC LIMIT 1) w ON true WHERE b.reconciliation_id = %s",
        "label",
        {"id": "BIGINT", "reason": "VARCHAR", "day": "DATE", "delivery": "BIGINT", "is_whole": "BOOLEAN",
         "drawn": "VARCHAR", "probability": "DOUBLE", "waits": "BOOLEAN"},
        [list(doubted), list(doubted), reconciliation.pk],
    )  # fmt: skip


def _table_sql(shape: Shape, rules: Rules) -> str:
    dates = [leaf for leaf in shape.leaves if leaf.kind in ("date", "datetime")]
    order = ("l.delivery", *(leaf_text("a.record", it) for it in dates[:1]), "c.key", "f.field", "f.id")
    money = money_of(shape, rules)
    amount = leaf_text("a.record", money.amount) if money else "NULL::VARCHAR"
    currency = leaf_text("a.record", money.currency) if money and money.currency else "NULL::VARCHAR"
    return (
        "SELECT f.* EXCLUDE (ids, no, said), s.functional, CAST(s.confidence AS DOUBLE) AS confidence, l.reason, l.day, "
        f"e.break_id AS record, l.is_whole, l.drawn, l.probability, l.waits, {amount} AS amount, {currency} AS currency "
        "FROM (SELECT *, unnest(ids) AS id FROM field_row) f JOIN label l ON l.id = f.id JOIN said s ON s.no = f.said "
        "JOIN explained e ON e.id = f.id JOIN cause c ON c.break_id = e.break_id "
        f"LEFT JOIN row_a a ON a.break_id = e.break_id ORDER BY {', '.join(order)}"
    )


def _habits(rows: pd.DataFrame, leaves: Sequence[str]) -> tuple[str, ...]:
    """Fields that have several values, each of which comes again and again."""
    counts = {name: rows[OF_RECORD + name].nunique() for name in leaves}
    fitting = [name for name, count in counts.items() if 2 <= count <= MOST_VALUES * len(rows)]
    return tuple(sorted(fitting, key=lambda name: (counts[name], name))[:MOST_HABITS])
