"""Whether a run's statement still holds: each delivered row, looked up by itself, stands where its outcome says."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any

import duckdb

from ingestion import lake
from ingestion.sql_text import literal
from reconciliation.bulk import copy_out
from reconciliation.models import OutcomeFile, Run
from reconciliation.outcomes import IN_BREAK
from reconciliation.session import session
from reconciliation.statement import (
    EXACT_DIGITS,
    SIDES,
    Account,
    Part,
    accounts,
    delivered_rows,
    quarantined_parts,
    summed,
)

HELD = {"side": "VARCHAR", "delivery": "BIGINT", "n": "BIGINT"}


def left_unexplained(run: Run) -> Iterator[str]:
    """A sentence for each side and currency of an ended run whose rows do not all stand somewhere now, or whose sum is not
    that of its statement."""
    told = (run.report or {}).get("statement")
    if told is None:
        return
    with session(f"statement-{run.pk}") as (duck, _), localcontext(prec=EXACT_DIGITS):
        aside = quarantined_parts(run, told["field"], told["currency_field"])
        delivered, explained = _looked_up(duck, run, told["columns"])
        found = accounts([*delivered, *aside], [*explained, *aside])
        sentences = list(_compared(run, told, found))  # within this context, which a generator would leave
    yield from sentences


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


def _looked_up(duck: duckdb.DuckDBPyConnection, run: Run, columns: list[str]) -> tuple[list[Part], list[Part]]:
    """What was delivered, and what of it has an outcome and, where that is a break, a row there."""
    files = OutcomeFile.objects.filter(step__run=run).values_list("path", flat=True)
    paths = ", ".join(literal(str(lake.local(path))) for path in files)
    copy_out(
        duck,
        "SELECT m.side, m.delivery_id, m.record_number FROM reconciliation_member m "
        "JOIN reconciliation_break b ON b.id = m.break_id WHERE b.reconciliation_id = %s",
        "held",
        HELD,
        [run.reconciliation_id],
    )
    duck.execute(
        f"CREATE TEMP TABLE standing AS SELECT side, delivery, n FROM read_parquet([{paths}]) WHERE state <> '{IN_BREAK}' "
        f"UNION ALL (SELECT side, delivery, n FROM read_parquet([{paths}]) WHERE state = '{IN_BREAK}' "
        "INTERSECT SELECT side, delivery, n FROM held)"
    )
    delivered, explained = [], []
    for side in SIDES:
        rows = delivered_rows(run, side, columns)
        delivered += summed(duck, rows)
        explained += summed(duck, f"SELECT d.* FROM ({rows}) d JOIN standing USING (side, delivery, n)")
    return delivered, explained
