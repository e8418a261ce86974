"""How many breaks stand in each state and bear each kind, band, reason: kept beside the breaks, so that no page counts a million.

Triggers on the breaks add what a statement changed, as rows of their own: nobody waits for a row that all decisions would
share. `settle_tally` adds such rows up. Open breaks are counted by the hour in which they opened and the minute in which they are
due, so that ages and due times are sums too.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from ingestion.prepared import kept_rows
from reconciliation.models import Access, Break, BreakTally
from reconciliation.models.break_ import HIDDEN

TABLE, BREAK = "reconciliation_breaktally", "reconciliation_break"
COLUMNS = "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, opened, due"
CELL = (
    "reconciliation_id, state, kind, band, reason, scope_id, assignee_id, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('hour', opened_at, 'UTC') END, "
    "CASE WHEN state IN ('in_flight', 'review') THEN date_trunc('minute', due_at, 'UTC') END"
)
_SETTLE = f"""
WITH several AS (SELECT {COLUMNS} FROM {TABLE} GROUP BY {COLUMNS} HAVING count(*) > 1),
gone AS (DELETE FROM {TABLE} t USING several s WHERE (t.reconciliation_id, t.state, t.kind, t.band, t.reason)
    = (s.reconciliation_id, s.state, s.kind, s.band, s.reason) AND (t.scope_id, t.assignee_id, t.opened, t.due)
    IS NOT DISTINCT FROM (s.scope_id, s.assignee_id, s.opened, s.due) RETURNING t.*)
INSERT INTO {TABLE} ({COLUMNS}, breaks) SELECT {COLUMNS}, sum(breaks) FROM gone GROUP BY {COLUMNS} HAVING sum(breaks) <> 0
"""


@dataclass(frozen=True)
class Cell:
    """Breaks that have these in common. `opened`: the hour, `due`: the minute, of open ones; null for the others."""

    reconciliation: int
    state: str
    kind: str
    band: str
    reason: str
    scope: int | None
    assignee: int | None
    opened: dt.datetime | None
    due: dt.datetime | None
    breaks: int


def tallied(seen: Access, states: Sequence[str] = tuple(Break.State.values), *, by_age: bool = True) -> list[Cell]:
    """The cells of what somebody sees that hold any break in one of the states; without `by_age` of all hours as one, with `opened`
    null: a month of runs has hundreds of times fewer."""
    columns = COLUMNS if by_age else COLUMNS.replace("opened", "NULL::timestamptz")
    found = kept_rows(
        f"SELECT {columns}, sum(breaks) FROM {TABLE} WHERE (reconciliation_id = ANY(%s) OR scope_id = ANY(%s)) "
        f"AND state = ANY(%s) GROUP BY {columns} HAVING sum(breaks) <> 0",
        [list(seen.whole), list(seen.scopes), list(states)],
    )
    return [Cell(*row) for row in found]


def tallied_shown() -> QuerySet[BreakTally]:
    """The tally's rows of what people are shown to decide; `breaks` is to be summed."""
    return BreakTally.objects.filter(state=Break.State.REVIEW).exclude(band__in=HIDDEN).order_by()


def settle_tally() -> None:
    """Add up what statements added. Readers see the same sums before and after; two at once each add up what they took."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE)


def wrong_tallies() -> Iterator[str]:
    """A sentence for each cell that is not what counting the breaks gives."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, sum(told), sum(found) FROM (SELECT {COLUMNS}, breaks AS told, 0 AS found FROM {TABLE} "
            f"UNION ALL SELECT {CELL}, 0, count(*) FROM {BREAK} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) c "
            f"GROUP BY {COLUMNS} HAVING sum(told) <> sum(found) LIMIT 20"
        )
        for *cell, told, found in cursor.fetchall():
            yield f"The tally says {told} breaks of {', '.join(map(str, cell))}; there are {found}."
