"""The attribute step: explain a range's differences, let through the gate what may pass, hold the rest for a person."""

import logging
import time

import duckdb
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from attribution.cases import load_cases, load_late, waiting
from attribution.certificates import warrant_of
from attribution.context import context_of
from attribution.draws import draw_breaks
from attribution.drift import count_mixes
from attribution.explaining import explain_cases
from attribution.model_alerts import tell_readable, tell_unreadable
from attribution.priority import order_cases
from attribution.provers.evidence import Context
from attribution.rungs import closed_gate
from attribution.verdicts import judge_cases, passing_relation
from ingestion.lake import AlteredFile
from ingestion.shape import Shape
from ingestion.sql_text import literal
from ingestion.work import claim, finish, give_back, heartbeat
from reconciliation.bulk import analyze, copy_in, number_rows
from reconciliation.custody import seal_breaks
from reconciliation.gate import Condition
from reconciliation.inputs import Inputs, inputs_of
from reconciliation.models import Break, RunStep
from reconciliation.rules import Rules
from reconciliation.session import session
from reconciliation.store.records import store_relation, typed_relation
from reconciliation.waiting import set_waiting

log = logging.getLogger(__name__)


def attribute_range(step: RunStep) -> None:
    """Claim and run an attribute step; a second call finds it done."""
    claimed = claim(step)
    if claimed is None:
        return
    try:
        with heartbeat(claimed):
            _attribute(claimed)
    except BaseException as error:
        give_back(claimed, error)
        raise


def _attribute(step: RunStep) -> None:
    given, rules = inputs_of(step), Rules(step.run.rule_set.document)
    with session(f"attribute-{step.pk}") as (duck, _):
        count = load_cases(duck, waiting(step), given.shape)
        load_late(duck, step)
        context = context_of(rules, given.shape)
        explain_cases(duck, given.shape, context)
        holding = [*_ask_model(duck, step, given.shape, context), *closed_gate(step.run.reconciliation)]
        judge_cases(duck, given, rules, warrant_of(step.run, rules), holding)
        with transaction.atomic():
            began = time.monotonic()
            passed = _store(duck, step, given, rules)
            stored = time.monotonic() - began
            _write_attributions(duck, step)
            draw_breaks(duck, step, rules.gate)
            order_cases(duck, step, rules)
            _write_verdicts(duck, step)
            set_waiting(step)
            _write_late(duck)
            analyze(count, "attribution_attribution", "attribution_candidate", "reconciliation_gaterefusal")
            _seal(duck)
            count_mixes(duck, step.run)
            finish(step, records=count, counts={"passed": passed, "store_seconds": round(stored, 3)})


def _ask_model(duck: duckdb.DuckDBPyConnection, step: RunStep, shape: Shape, context: Context) -> list[Condition]:
    """Let the run's model speak, if one is pinned. Where it cannot, the condition that then holds every record back."""
    if not step.run.model_version:
        return []
    from attribution.serving import ask_model  # only a run with a model waits for its libraries

    try:
        ask_model(duck, shape, step.run, context.reasons)
    except AlteredFile as error:
        log.error("%s: model %s cannot speak. %s", step.run, step.run.model_version, error)
        tell_unreadable(step.run.reconciliation, step.run.model_version, str(error))
        return [
            Condition(
                "model", f"Model {step.run.model_version} of this run can be read", holds=False, detail=str(error)
            )
        ]
    tell_readable(step.run.reconciliation, step.run.model_version)
    return []


def _store(duck: duckdb.DuckDBPyConnection, step: RunStep, given: Inputs, rules: Rules) -> int:
    """Bring the records that pass into the store. Gives how many."""
    passed = duck.execute("SELECT count(*) FROM standing WHERE passes").fetchall()[0][0]
    if passed:
        typed_relation(duck, given.shape, passing_relation(duck, given, rules), "passing")
        store_relation(
            duck,
            "passing",
            shape=given.shape,
            record_type=step.run.reconciliation.record_type,
            run_id=step.run_id,
            business_date=step.run.business_date,
            mapped=given.mapped_a | given.mapped_b,
            bucket_range=(step.first_bucket, step.last_bucket),
        )
    return int(passed)


def _write_attributions(duck: duckdb.DuckDBPyConnection, step: RunStep) -> None:
    """COPY attributions and their candidates; earlier ones of the same differences are no longer current."""
    again = duck.execute(f"SELECT id FROM explained WHERE is_late OR run_id <> {step.run_id}").fetchall()
    if again:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE attribution_attribution SET current = false WHERE current AND difference_id = ANY(%s)",
                [[row[0] for row in again]],
            )
    duck.execute("CREATE TEMP TABLE entering AS SELECT id AS difference_id, said FROM explained ORDER BY id")
    number_rows(duck, "entering", "attribution_attribution", "attribution")
    now = literal(timezone.now().isoformat())
    copy_in(
        duck,
        f"SELECT a.id, a.difference_id, s.reason, s.functional, s.confidence, s.functional_share, s.proof, s.assigned_by, {step.run_id}, "
        f"{now}, "
        "true FROM attribution a JOIN said s ON s.no = a.said ORDER BY a.id",
        sql.Identifier("attribution_attribution"),
        ["id", "difference_id", "reason_id", "functional", "confidence", "functional_share", "proof", "assigned_by", "run_id",
         "assigned_at", "current"],
    )  # fmt: skip
    copy_in(
        duck,
        "SELECT a.id, c.rank, c.reason, c.confidence, c.evidence FROM attribution a JOIN candidate c ON c.no = a.said "
        "ORDER BY a.id, c.rank",
        sql.Identifier("attribution_candidate"),
        ["attribution_id", "rank", "reason_id", "confidence", "evidence"],
    )


def _write_verdicts(duck: duckdb.DuckDBPyConnection, step: RunStep) -> None:
    """Write what the gate said and where each break stands now."""
    copy_in(
        duck,
        f"SELECT break_id, {step.run_id}, condition, sentence, detail, true FROM failing ORDER BY break_id",
        sql.Identifier("reconciliation_gaterefusal"),
        ["break_id", "run_id", "condition", "sentence", "detail", "current"],
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS break_verdict")
        cursor.execute(
            "CREATE TEMP TABLE break_verdict (id bigint, passes boolean, confidence numeric, band text, reason text, "
            "due_at timestamptz, priority bigint)"
        )
        columns = ["id", "passes", "confidence", "band", "reason", "due_at", "priority"]
        query = "SELECT s.*, o.due_at, o.priority FROM standing s JOIN queued o USING (break_id) ORDER BY s.break_id"
        copy_in(duck, query, sql.Identifier("break_verdict"), columns)
        cursor.execute(
            "UPDATE reconciliation_break b SET confidence = v.confidence, band = v.band, reason = v.reason, "
            "due_at = v.due_at, priority = v.priority, "
            "state = CASE WHEN v.passes THEN 'passed' ELSE 'review' END, closed_at = CASE WHEN v.passes THEN %s END, "
            "closed_because = CASE WHEN v.passes THEN 'passed the gate' ELSE '' END FROM break_verdict v WHERE v.id = b.id",
            [timezone.now()],
        )


def _write_late(duck: duckdb.DuckDBPyConnection) -> None:
    """Breaks that a later partner closed now show why they were open."""
    found = duck.execute(
        "SELECT s.reason, list(DISTINCT e.break_id) FROM explained e JOIN said s ON s.no = e.said WHERE e.is_late GROUP BY 1"
    ).fetchall()
    for reason, ids in found:
        Break.objects.filter(pk__in=ids).update(reason=reason)


def _seal(duck: duckdb.DuckDBPyConnection) -> None:
    ids = [row[0] for row in duck.execute("SELECT break_id FROM cause ORDER BY break_id").fetchall()]
    late = [row[0] for row in duck.execute("SELECT DISTINCT break_id FROM late").fetchall()]
    seal_breaks(ids, first=True)
    seal_breaks(late)
