"""The diff step: compare one range, store what matched, open, keep, reopen and close breaks, write the outcomes."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
from django.db import transaction
from django.db.models import Max, QuerySet

from ingestion import lake
from ingestion.sql_text import literal
from ingestion.work import claim, fail, finish, give_back, heartbeat
from reconciliation import breaks, checks, inputs, outcomes
from reconciliation.engine.duckdb_engine import CompareSpec, compare
from reconciliation.engine.rules import CompareRule
from reconciliation.inputs import Inputs
from reconciliation.models import Retraction, RunStep
from reconciliation.rules import Rules
from reconciliation.session import session
from reconciliation.statement import settled_amounts
from reconciliation.store.current import current_rows, is_stored, newer_rows
from reconciliation.store.identities import upsert_identities
from reconciliation.store.load import load_rows

RETRIES = 3


def diff_range(step: RunStep) -> None:
    """Claim and run a diff step; a second call finds it done."""
    claimed = claim(step)
    if claimed is None:
        return
    try:
        with heartbeat(claimed):
            _with_retries(claimed)
    except lake.AlteredFile as error:
        fail(claimed, str(error))
        raise
    except BaseException as error:
        give_back(claimed, error)
        raise


def _with_retries(step: RunStep) -> None:
    for attempt in range(RETRIES):
        try:
            with session(f"diff-{step.pk}") as (duck, folder):
                return _diff(step, duck, folder)
        except breaks.Overtaken:
            if attempt == RETRIES - 1:
                raise
    return None


def compare_spec(given: Inputs, rules: Rules) -> CompareSpec:
    """The engine's rules of a run."""
    return CompareSpec(
        shape=given.shape,
        rules={name: CompareRule.from_document(document) for name, document in rules.compare.items()},
        mapped_a=given.mapped_a,
        mapped_b=given.mapped_b,
        authority=rules.authority,
        calendar=rules.calendar,
        one_sided=rules.one_sided,
        beside=given.money.columns if given.money else (),
    )


def _diff(step: RunStep, duck: duckdb.DuckDBPyConnection, folder: Path) -> None:
    given, rules = inputs.inputs_of(step), Rules(step.run.rule_set.document)
    record_type = step.run.reconciliation.record_type
    known = _taken_back(step).aggregate(newest=Max("pk"))["newest"] or 0
    inputs.load_sides(duck, given)
    inputs.load_open_members(duck, given)
    inputs.load_decided_members(duck, given)
    inputs.join_sides(duck, given)
    _load_stored(duck, given)
    inputs.add_stored(duck, given)
    compare(duck, "a", "b", compare_spec(given, rules))
    _settle_stored(duck, step.run.business_date)
    _settle_newer(duck, step)
    checks.refuse(duck, given.shape, rules, step.run.business_date)
    duck.execute(
        "CREATE TEMP VIEW passing AS SELECT * FROM pair WHERE class = 'matched' AND key NOT IN (SELECT key FROM refusal)"
    )
    breaks.plan(duck, given, rules)
    upsert_identities(duck, "passing", given.shape, record_type)
    with transaction.atomic():
        began = time.monotonic()
        load_rows(
            duck,
            "passing",
            shape=given.shape,
            record_type=record_type,
            run_id=step.run_id,
            business_date=step.run.business_date,
            bucket_range=(step.first_bucket, step.last_bucket),
            mapped=given.mapped_a | given.mapped_b,
        )
        stored = round(time.monotonic() - began, 3)
        if _taken_back(step).filter(pk__gt=known).exists():
            raise breaks.Overtaken  # an undone decision took a version back that this range has read
        breaks.write(duck, given)
        ended = breaks.ending(duck)
        with ThreadPoolExecutor(max_workers=1) as beside:  # DuckDB writes the outcomes while PostgreSQL closes
            written = beside.submit(outcomes.write, duck, given, folder / "outcomes.parquet")
            breaks.close(ended, step.run)
        counts = written.result()
        name, digest = lake.keep(folder / "outcomes.parquet", f"outcomes/{step.run_id}/{step.pk}-{step.fence}.parquet")
        outcomes.register(step, name, digest, counts)
        finish(step, records=counts.records, counts=_step_counts(duck, given, counts) | {"store_seconds": stored})


def _taken_back(step: RunStep) -> QuerySet[Retraction]:
    """What undone decisions took back of the step's buckets."""
    taken = Retraction.objects.of(step.run.reconciliation.record_type)
    return taken.filter(bucket__range=(step.first_bucket, step.last_bucket))


def _load_stored(duck: duckdb.DuckDBPyConnection, given: Inputs) -> None:
    """The stored versions of the keys that come from one side only, as table `stored`."""
    record_type = given.run.reconciliation.record_type
    if is_stored(record_type):
        duck.execute(
            "CREATE TEMP TABLE lonely AS SELECT key FROM standing_a a ANTI JOIN standing_b b USING (key) "
            "UNION SELECT key FROM standing_b b ANTI JOIN standing_a a USING (key)"
        )
    else:
        duck.execute("CREATE TEMP TABLE lonely (key VARCHAR)")
    current_rows(duck, "lonely", given.shape, record_type, "stored")


def _settle_stored(duck: duckdb.DuckDBPyConnection, business_date: dt.date) -> None:
    """A one-sided key that is stored: unchanged it is confirmed, changed it is a one-sided break again; an older date
    than the stored one is superseded."""
    newer = f"key IN (SELECT key FROM stored WHERE _date > DATE {literal(business_date.isoformat())})"
    duck.execute(
        "UPDATE pair SET class = CASE "
        f"WHEN {newer} THEN 'superseded' WHEN class = 'matched' THEN 'confirmed' "
        "WHEN a_delivery = 0 THEN 'missing_in_a' ELSE 'missing_in_b' END "
        "WHERE a_delivery = 0 OR b_delivery = 0"
    )
    for side in ("a", "b"):
        duck.execute(
            f"UPDATE pair SET {side}_delivery = NULL, {side}_n = NULL, {side}_carried = NULL WHERE {side}_delivery = 0"
        )
    duck.execute("DELETE FROM cell WHERE key NOT IN (SELECT key FROM pair WHERE class = 'differing')")


def _settle_newer(duck: duckdb.DuckDBPyConnection, step: RunStep) -> None:
    """A key that comes from both sides and is stored with a later date: the same record is stored, another is superseded."""
    buckets = (step.first_bucket, step.last_bucket)
    if not newer_rows(duck, step.run.reconciliation.record_type, step.run.business_date, buckets, "newer"):
        return
    duck.execute(
        "UPDATE pair SET class = 'superseded' FROM newer n WHERE n.key = pair.key "
        "AND (class = 'differing' OR (class = 'matched' AND n.hash <> pair.hash))"
    )
    duck.execute("DELETE FROM cell WHERE key NOT IN (SELECT key FROM pair WHERE class = 'differing')")


def _step_counts(duck: duckdb.DuckDBPyConnection, given: Inputs, counts: outcomes.Counts) -> dict[str, object]:
    """What the report needs of this range, as JSON."""
    classes = dict(duck.execute("SELECT class, count(*) FROM pair GROUP BY class").fetchall())
    duplicate = duck.execute("SELECT count(*) FROM repeated_key").fetchall()[0][0]
    fields = dict(duck.execute("SELECT field, count(*) FROM cell GROUP BY field ORDER BY field").fetchall())
    carried = {}
    for side in ("a", "b"):
        kind = "missing_in_b" if side == "a" else "missing_in_a"
        offered, closed = duck.execute(
            f"SELECT count(*) FILTER (kind = {literal(kind)} OR key IN (SELECT key FROM carried_{side})), "
            f"count(*) FILTER (key IN (SELECT key FROM carried_{side})) FROM open_member WHERE side = {literal(side)}"
        ).fetchall()[0]
        carried[side] = {"offered": offered, "closed": closed}
    extra = dict(duck.execute("SELECT side, count(*) FROM repeated WHERE position > 1 GROUP BY side").fetchall())
    return {
        "classes": classes | {"duplicate": duplicate},
        "fields": fields,
        "carried": carried,
        "sides": counts.sides,
        "extra": extra,
        "amounts": settled_amounts(duck) if given.money else [],
    }
