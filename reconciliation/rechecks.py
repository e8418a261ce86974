"""The record checks again, over the records that a person would store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ingestion.shape import Shape
from reconciliation.gate import Condition, failing_sql
from reconciliation.models import Break, Run
from reconciliation.rules import Rules
from reconciliation.session import session
from reconciliation.store.conflicts import unstorable_sql
from reconciliation.store.current import known_keys
from reconciliation.store.records import Record, records_relation


def failed_checks(brk: Break, record: Mapping[str, str | None]) -> list[Condition]:
    """The record checks of the break's rules that a record fails, each with the value named."""
    shape = brk.reconciliation.record_type.shape()
    return failing_records(brk.last_run, shape, [(brk.key, brk.bucket, record)]).get(brk.key, [])


def failing_records(run: Run, shape: Shape, rows: Sequence[tuple[str, int, Record]]) -> Mapping[str, list[Condition]]:
    """By key what records (key, bucket, canonical texts) fail of the record checks of a run's rules."""
    rules = Rules(run.rule_set.document)
    failed: dict[str, list[Condition]] = defaultdict(list)
    with session("recheck") as (duck, _):
        records_relation(duck, shape, rows, "checked")
        for check in rules.gate.checks:
            known = known_keys(duck, shape, check.field) if check.rule == "known" else None
            test, sentence = failing_sql(shape, check, known)
            found = duck.execute(f"SELECT key, {sentence} FROM checked WHERE coalesce({test}, false)").fetchall()
            for key, said in found:
                failed[key].append(Condition(check.code, said, holds=False))
        unstorable = f"SELECT key, condition, sentence FROM ({unstorable_sql('checked', shape)})"
        for key, code, said in duck.execute(unstorable).fetchall():
            failed[key].append(Condition(code, said, holds=False))
    return failed
