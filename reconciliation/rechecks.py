"""The record checks again, over the records that a person would store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ingestion.lookup import answers
from ingestion.shape import Shape
from ingestion.sql_text import literal
from reconciliation.gate import Condition, failing_sql
from reconciliation.inputs import typed_sql
from reconciliation.models import Break, Run
from reconciliation.rules import Check, Rules
from reconciliation.session import session
from reconciliation.store.conflicts import unstorable_sql
from reconciliation.store.current import known_keys
from reconciliation.store.records import Record, records_relation


def failed_checks(brk: Break, record: Mapping[str, str | None]) -> list[Condition]:
    """The record checks of the break's rules that a record fails, each with the value named."""
    shape, checks = brk.reconciliation.record_type.shape(), Rules(brk.last_run.rule_set.document).gate.checks
    if any(it.rule == "known" for it in checks):
        return failing_records(brk.last_run, shape, [(brk.key, brk.bucket, record)]).get(brk.key, [])
    given = [brk.key, *(record.get(leaf.name) for leaf in shape.leaves)]
    return [Condition(code, said, holds=False) for _, code, said in answers(_of_one(shape, checks), given)]


def _of_one(shape: Shape, checks: Sequence[Check]) -> str:
    """SQL of (key, condition, sentence) that a record fails, given its key and its canonical texts in the order of the leaves."""
    typed = (f"{typed_sql(leaf, f'${n}::VARCHAR')} AS {leaf.column}" for n, leaf in enumerate(shape.leaves, start=2))
    failing = [_failing(shape, it) for it in checks]
    selects = " UNION ALL ".join([*failing, unstorable_sql("checked", shape)])
    return f"WITH checked AS (SELECT $1::VARCHAR AS key, {', '.join(typed)}) {selects}"


def _failing(shape: Shape, check: Check) -> str:
    test, sentence = failing_sql(shape, check)
    return f"SELECT key, {literal(check.code)}, {sentence} FROM checked WHERE coalesce({test}, false)"


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
