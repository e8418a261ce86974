"""Whether the statements of runs still hold: each delivered row, looked up by itself, stands where its outcome says."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import duckdb

from ingestion import lake
from ingestion.sql_text import literal
from reconciliation.bulk import copy_out
from reconciliation.models import OutcomeFile, Reconciliation, Run
from reconciliation.outcomes import IN_BREAK
from reconciliation.session import session
from reconciliation.statement import EXACT_DIGITS, SIDES, Account, accounts, delivered_rows, quarantined_parts, summed

HELD = {"side": "VARCHAR", "delivery": "BIGINT", "n": "BIGINT"}
STANDS = "stands"


def left_unexplained(reconciliation: Reconciliation) -> Iterator[str]:
    """A sentence for each side and currency of an ended run whose rows do not all stand somewhere now, or whose sum is not
    that of its statement."""
    runs = reconciliation.runs.filter(state=Run.State.DONE).prefetch_related("inputs__normalization").order_by("id")
    files = defaultdict(list)
    for path, pk in OutcomeFile.objects.filter(step__run__in=runs).values_list("path", "step__run"):
        files[pk].append(literal(str(lake.local(path))))
    with session(f"statements-{reconciliation.pk}") as (duck, _):
        copy_out(
            duck,
            "SELECT m.side, m.delivery_id, m.record_number FROM reconciliation_member m "
            "JOIN reconciliation_break b ON b.id = m.break_id WHERE b.reconciliation_id = %s",
            "held",
            HELD,
            [reconciliation.pk],
        )
        for run in runs:
            told = (run.report or {}).get("statement")
            if told is None:
                continue
            try:
                yield from _problems(duck, run, told, files[run.pk])
            except duckdb.Error as error:
                yield f"{run}: its statement could not be drawn up again. {str(error).splitlines()[0]}"


def _problems(duck: duckdb.DuckDBPyConnection, run: Run, told: dict[str, Any], files: Sequence[str]) -> list[str]:
    with localcontext(prec=EXACT_DIGITS):
        return list(_compared(run, told, _looked_up(duck, run, told, files)))


def _compared(run: Run, told: dict[str, Any], found: Mapping[str, Account]) -> Iterator[str]:
    for account in told["currencies"]:
        now = found.get(account["currency"], Account())
        for side in SIDES:
            shown = f"{told['field']} of side {side.upper()}" + (f" in {it}" if (it := account["currency"]) else "")
            rest = now.rest(side)
            if rest.rows or rest.amount:
                yield f"{run}: {rest.rows} row{'' if rest.rows == 1 else 's'} with {rest.amount:f} {shown} stand nowhere."
            if now.delivered.amount[side] != Decimal(account[side]):
                yield f"{run}: its statement says {account[side]} {shown}, but {now.delivered.amount[side]:f} were delivered."


def _looked_up(
    duck: duckdb.DuckDBPyConnection, run: Run, told: dict[str, Any], files: Sequence[str]
) -> Mapping[str, Account]:
    """What was delivered, and what of it has an outcome and, where that is a break, a row there."""
    inputs = run.inputs.all()
    rows = " UNION ALL ".join(f"({delivered_rows(inputs, side, told['columns'])})" for side in SIDES)
    outcome = f"(SELECT side, delivery, n, state FROM read_parquet([{', '.join(files)}]))"
    standing = (
        f"SELECT o.side, o.delivery, o.n FROM {outcome} o LEFT JOIN (SELECT DISTINCT * FROM held) h "
        f"USING (side, delivery, n) WHERE o.state <> '{IN_BREAK}' OR h.n IS NOT NULL"
    )
    parts = summed(
        duck,
        f"SELECT d.*, CASE WHEN s.n IS NULL THEN '' ELSE '{STANDS}' END AS what FROM ({rows}) d "
        f"LEFT JOIN ({standing}) s ON s.side = d.side AND s.delivery = d.delivery AND s.n = d.n",
        "what",
    )
    aside = quarantined_parts(run, told["field"], told["currency_field"])
    explained = [part for part in parts if part.line.what == STANDS]
    return accounts([*parts, *aside], [*explained, *aside])
