"""The record checks again, over the one record that a person would store."""

from collections.abc import Mapping

from ingestion.shape import Shape
from reconciliation.gate import Condition, failing_sql
from reconciliation.models import Break
from reconciliation.rules import Rules
from reconciliation.session import session
from reconciliation.store.conflicts import unstorable_sql
from reconciliation.store.current import known_keys
from reconciliation.store.records import records_relation


def failed_checks(brk: Break, record: Mapping[str, str | None]) -> list[Condition]:
    """The record checks of the break's rules that a record fails, each with the value named."""
    rules = Rules(brk.last_run.rule_set.document)
    shape: Shape = brk.reconciliation.record_type.shape()
    failed = []
    with session("recheck") as (duck, _):
        records_relation(duck, shape, [(brk.key, brk.bucket, record)], "checked")
        for check in rules.gate.checks:
            known = known_keys(duck, shape, check.field) if check.rule == "known" else None
            test, sentence = failing_sql(shape, check, known)
            rows = duck.execute(f"SELECT {sentence} FROM checked WHERE coalesce({test}, false)").fetchall()
            failed += [Condition(check.code, row[0], holds=False) for row in rows]
        unstorable = duck.execute(f"SELECT condition, sentence FROM ({unstorable_sql('checked', shape)})").fetchall()
        failed += [Condition(code, sentence, holds=False) for code, sentence in unstorable]
    return failed
