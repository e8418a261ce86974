"""Priority: where a break stands in the queue (docs/decisions/0020).

By the hour in which somebody should look at it: when it is due, without a due time five days after it was opened; for each tenfold
of the usual amount a day earlier. All breaks grow old alike, so it never has to be computed again. Among those of one hour come
first those whose labels teach the model most; the calibration stream lies evenly between them, so that neither the model nor a
person chooses from it, and nobody tells it apart.
"""

import datetime as dt

import duckdb
from django.db import connection
from django.utils import timezone

from attribution.draws import CALIBRATION, seed_of
from ingestion.sql_text import literal
from reconciliation.bulk import columns
from reconciliation.due_times import DAY, due_sql
from reconciliation.models import Break, RunStep
from reconciliation.rules import Rules
from reconciliation.waiting import ONE_SIDED

PLACES = 10_000  # within an hour
PATIENCE = 120  # hours that a break without a due time may wait
HALF_TENFOLD = 12  # hours earlier for each half of a tenfold of the usual amount
MOST = 4  # such halves, in either direction
NEWEST = 1000  # open breaks of a state that show which amount is usual


def order_cases(duck: duckdb.DuckDBPyConnection, step: RunStep, rules: Rules) -> None:
    """Create `queued` (break_id, due_at, priority) for the range's judged breaks, after `draw_breaks`."""
    now = timezone.now()
    _find_usual(duck, step)
    _find_hours(duck, rules, step.run.business_date, now)
    duck.execute(_USEFULNESS)
    duck.execute(_ORDERED, [f"{seed_of(step.run.reconciliation)}:{step.run_id}:"])


def _find_usual(duck: duckdb.DuckDBPyConnection, step: RunStep) -> None:
    """Create `usual` (currency, amount): the median of the newest open breaks."""
    newest = (
        "(SELECT currency, abs(amount)::float8 AS amount FROM reconciliation_break WHERE reconciliation_id = %s "
        "AND state = '{state}' AND amount <> 0 ORDER BY id DESC LIMIT {newest})"
    )
    each = " UNION ALL ".join(newest.format(state=state.value, newest=NEWEST) for state in Break.OPEN_STATES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT currency, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM ({each}) AS n GROUP BY currency",
            [step.run.reconciliation_id] * len(Break.OPEN_STATES),
        )
        found = cursor.fetchall()
    with columns(duck, "found", {"currency": [row[0] for row in found], "amount": [str(row[1]) for row in found]}):
        duck.execute(
            "CREATE TEMP TABLE usual AS SELECT CAST(currency AS VARCHAR) AS currency, CAST(amount AS DOUBLE) AS amount "
            "FROM found"
        )


def _find_hours(duck: duckdb.DuckDBPyConnection, rules: Rules, business_date: dt.date, now: dt.datetime) -> None:
    """Create `looked_at` (break_id, kind, due_at, hour): when each is due, which stays, and when somebody should look at it."""
    sides = ", ".join(map(literal, ONE_SIDED))
    shown = max(now, now + (_waits_until(rules, business_date) - now.date()))
    due = (
        f"CASE WHEN kind IN ({sides}) THEN {due_sql(rules.sla, shown, rules.calendar)} "
        f"ELSE {due_sql(rules.sla, now, rules.calendar)} END"
    )
    hour = f"epoch(coalesce(d.due_at, d.opened_at + INTERVAL {PATIENCE} HOUR)) // 3600"
    halves = f"least(greatest(round(2 * log10(abs(d.amount)::DOUBLE / u.amount)), -{MOST}), {MOST})"
    earlier = f"coalesce(CASE WHEN d.amount <> 0 THEN {HALF_TENFOLD} * {halves} END, 0)"
    duck.execute(
        f"CREATE TEMP TABLE looked_at AS SELECT d.break_id, d.kind, d.due_at, CAST({hour} - {earlier} AS BIGINT) AS hour "
        f"FROM (SELECT c.* REPLACE (CASE WHEN NOT s.passes THEN coalesce(due_at, {due}) END AS due_at) FROM cause c "
        "JOIN standing s USING (break_id)) d LEFT JOIN usual u ON u.currency = d.currency"
    )


def _waits_until(rules: Rules, business_date: dt.date) -> dt.date:
    """The business date with which people are shown one-sided breaks of this one."""
    day = business_date
    while rules.calendar.business_days_between(business_date, day) < rules.wait:
        day += DAY
    return day


# What nobody taught the model, and where it wavers between two reasons; of many alike the first ones.
_USEFULNESS = (
    "CREATE TEMP TABLE useful AS SELECT break_id, u / row_number() OVER (PARTITION BY alike ORDER BY u DESC, hash(break_id)) "
    "AS useful FROM (SELECT e.break_id, max(w.u) AS u, arg_max(e.field || ' ' || w.reason, w.u) AS alike FROM explained e "
    "JOIN (SELECT s.no, s.reason, CAST(s.unfamiliar <> '' AS INTEGER) + 1 - greatest(s.confidence - coalesce(c.confidence, 0), 0) "
    "AS u FROM said s LEFT JOIN candidate c ON c.no = s.no AND c.rank = 2) w ON w.no = e.said "
    "WHERE NOT e.is_late GROUP BY e.break_id)"
)
_ORDERED = f"""
CREATE TEMP TABLE queued AS
WITH each AS (
    SELECT l.*, coalesce(f.useful, 0) AS useful, l.kind = {literal(Break.Kind.DIFFERING.value)} AS teaches,
        d.break_id IS NOT NULL AS calibrates, md5_number_lower(? || l.break_id) AS ticket
    FROM looked_at l LEFT JOIN useful f USING (break_id)
    LEFT JOIN drawn d ON d.break_id = l.break_id AND d.purpose = {literal(CALIBRATION)}
), spread AS (
    SELECT *, (CASE WHEN calibrates THEN row_number() OVER (own ORDER BY ticket) - (ticket % 1000) / 1000
        ELSE row_number() OVER (own ORDER BY useful DESC, ticket) - 0.5 END) / count(*) OVER own AS part
    FROM each WINDOW own AS (PARTITION BY hour, teaches, calibrates)
)
SELECT break_id, due_at, hour * {PLACES} + (row_number() OVER (whole ORDER BY teaches DESC, part, ticket) - 1)
    * {PLACES - 1} // count(*) OVER whole AS priority
FROM spread WINDOW whole AS (PARTITION BY hour)
"""
