"""One-sided records that wait for a partner: for as many business days as the rules say, people are not shown them."""

import datetime as dt
from collections import Counter
from typing import Any

from django.db import connection
from django.db.models import Count

from reconciliation.custody import seal_breaks
from reconciliation.models import Break, Run, RunStep
from reconciliation.rules import Rules

WAITING = "waiting"  # the band of such a break, which is in review as any other
READY = "straight"
ONE_SIDED = (Break.Kind.MISSING_IN_A.value, Break.Kind.MISSING_IN_B.value)
DAY = dt.timedelta(days=1)


def waited_since(rules: Rules, business_date: dt.date) -> dt.date:
    """The last date of which records have waited long enough by a business date; no record waits after `date.max`."""
    if not rules.wait:
        return dt.date.max
    calendar, day = rules.calendar, business_date
    while day > dt.date.min and calendar.business_days_between(day, business_date) < rules.wait:
        day -= DAY
    return day


def set_waiting(step: RunStep) -> None:
    """Let the one-sided breaks that this step explained wait, and show those of earlier runs whose time is over; call it in
    the step's transaction, before its breaks are sealed."""
    since = waited_since(Rules(step.run.rule_set.document), step.run.business_date)
    within: list[Any] = [step.run.reconciliation_id, list(ONE_SIDED), step.first_bucket, step.last_bucket, since]
    breaks = (
        "FROM reconciliation_run r WHERE r.id = b.opened_run_id AND b.reconciliation_id = %s AND b.state = 'review' "
        "AND b.kind = ANY(%s) AND b.bucket BETWEEN %s AND %s"
    )
    with connection.cursor() as cursor:
        if since != dt.date.max:
            cursor.execute(
                f"UPDATE reconciliation_break b SET band = '{WAITING}' {breaks} AND r.business_date > %s AND b.last_run_id = %s "
                "AND NOT EXISTS (SELECT 1 FROM ingestion_seal s WHERE s.kind = 'reconciliation_break' AND s.row_id = b.id)",
                [*within, step.run_id],  # what bears a seal was explained by an earlier run
            )
        cursor.execute(
            f"UPDATE reconciliation_break b SET band = '{READY}' {breaks} AND r.business_date <= %s AND b.band = '{WAITING}' "
            "RETURNING b.id",
            within,
        )
        seal_breaks([row[0] for row in cursor.fetchall()])


def open_by_age(run: Run) -> dict[str, dict[str, int]]:
    """The breaks that are open when a run ends, by business days from the date that opened them to the run's: those in review,
    and those that wait for a partner."""
    calendar = Rules(run.rule_set.document).calendar
    standing = Break.objects.filter(reconciliation=run.reconciliation_id, state=Break.State.REVIEW).order_by()
    counted = standing.values_list("band", "opened_run__business_date").annotate(Count("pk"))
    found: dict[str, Counter[int]] = {"review": Counter(), WAITING: Counter()}
    for band, opened, count in counted:
        age = max(calendar.business_days_between(opened, run.business_date), 0)
        found[WAITING if band == WAITING else "review"][age] += count
    return {name: {str(age): ages[age] for age in sorted(ages)} for name, ages in found.items()}
