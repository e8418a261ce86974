"""The record checks again, over the records that a person would store."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

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
    """SQL of what a record fails, given its key and its canonical texts in the order of the leaves."""
    typed = (f"{typed_sql(leaf, f'${n}::VARCHAR')} AS {leaf.column}" for n, leaf in enumerate(shape.leaves, start=2))
    selects = " UNION ALL ".join(_failures(shape, checks, {}))
    return f"WITH checked AS (SELECT $1::VARCHAR AS key, {', '.join(typed)}) {selects}"


def _failures(shape: Shape, checks: Sequence[Check], known: Mapping[str, str]) -> Iterator[str]:
    """SQL of (key, condition, sentence) that the records of the relation `checked` fail, a statement a check; `known`: the identities
    that a reference field may name, by field."""
    for it in checks:
        test, sentence = failing_sql(shape, it, known.get(it.field))
        yield f"SELECT key, {literal(it.code)}, {sentence} FROM checked WHERE coalesce({test}, false)"
    yield unstorable_sql("checked", shape)


def failing_records(run: Run, shape: Shape, rows: Sequence[tuple[str, int, Record]]) -> Mapping[str, list[Condition]]:
    """By key what records (key, bucket, canonical texts) fail of the record checks of a run's rules."""
    checks = Rules(run.rule_set.document).gate.checks
    failed: dict[str, list[Condition]] = defaultdict(list)
    with session("recheck") as (duck, _):
        records_relation(duck, shape, rows, "checked")
        known = {it.field: known_keys(duck, shape, it.field) for it in checks if it.rule == "known"}
        for statement in _failures(shape, checks, known):
            for key, code, said in duck.execute(statement).fetchall():
                failed[key].append(Condition(code, said, holds=False))
    return failed
