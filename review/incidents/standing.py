"""Where incidents stand: open while one of their breaks waits for a person, then decided, or closed by itself."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet

from ingestion import custody
from reconciliation.models import Break, Reconciliation
from review.models import Incident

WHOLE = "review_incident"

_SETTLE = """
UPDATE review_incident i SET state = s.state FROM (
    SELECT i.id, CASE WHEN bool_or(b.state = 'review') THEN 'open'
        WHEN bool_or(b.closed_because LIKE 'decision %%') THEN 'decided' ELSE 'closed' END AS state
    FROM review_incident i JOIN review_incidentbreak m ON m.incident_id = i.id JOIN reconciliation_break b ON b.id = m.break_id
    WHERE (i.state = 'open' OR i.found_at > now() - interval '7 days')
        AND (%(reconciliation)s::bigint IS NULL OR i.reconciliation_id = %(reconciliation)s)
    GROUP BY i.id
) s WHERE s.id = i.id AND s.state <> i.state AND (s.state <> 'open' OR NOT EXISTS (
    SELECT FROM review_incident o WHERE o.state = 'open' AND o.reconciliation_id = i.reconciliation_id
    AND (o.field, o.reason, o.gap, o.segment) = (i.field, i.reason, i.gap, i.segment)))
RETURNING i.id
"""
_FIGURES = """
SELECT m.incident_id, b.currency, count(*), count(*) FILTER (WHERE b.state = 'review'),
    count(*) FILTER (WHERE b.closed_because LIKE 'decision %%'),
    sum(b.amount) FILTER (WHERE b.state = 'review'), min(b.opened_at), max(b.opened_at)
FROM review_incidentbreak m JOIN reconciliation_break b ON b.id = m.break_id
WHERE m.incident_id = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass
class Figures:
    """What stands in an incident now; sums are of what waits."""

    count: int = 0
    waiting: int = 0
    decided: int = 0
    sums: list[tuple[str, Decimal]] = field(default_factory=list)
    first: dt.datetime | None = None
    last: dt.datetime | None = None

    @property
    def gone(self) -> int:
        """How many agreed or went since, without a person."""
        return self.count - self.waiting - self.decided


@transaction.atomic
def settle_incidents(reconciliation: int | None = None) -> int:
    """Bring the states of incidents to what their breaks say. How many changed."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"reconciliation": reconciliation})
        changed = [pk for (pk,) in cursor.fetchall()]
    custody.seal_ids(WHOLE, changed)
    return len(changed)


def visible_incidents(user: User) -> QuerySet[Incident]:
    """Those of reconciliations that the user may see, newest first."""
    seen = Incident.objects.filter(reconciliation__in=Reconciliation.objects.visible_to(user))
    return seen.select_related("reconciliation", "run", "last_run").order_by("-id")


def figures_of(incidents: Sequence[Incident]) -> dict[int, Figures]:
    """Counts, sums and times of incidents, by id; one query."""
    found: dict[int, Figures] = defaultdict(Figures)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [[it.pk for it in incidents]])
        for pk, currency, count, waiting, decided, amount, first, last in cursor.fetchall():
            it = found[pk]
            it.count, it.waiting, it.decided = it.count + count, it.waiting + waiting, it.decided + decided
            it.first, it.last = min(it.first or first, first), max(it.last or last, last)
            if amount is not None:
                it.sums.append((currency, amount))
    return found


def waiting_of(incident: Incident) -> QuerySet[Break]:
    """The breaks of an incident that wait for a person."""
    return Break.objects.filter(in_incidents__incident=incident, state=Break.State.REVIEW)


def signature_text(incident: Incident) -> str:
    """What its breaks have in common, in one line."""
    parts = ["whole rows" if incident.field == "*row*" else incident.field, gap_text(incident.gap)]
    if incident.segment != "*":
        parts.append(f"{incident.segment_of} {incident.segment or 'empty'}")
    return ", ".join(part for part in parts if part)


def gap_text(gap: str) -> str:
    """A gap's sign and size as people read it: `B above A by 10 to 100`."""
    if gap in ("*", "", "0"):
        return ""
    if gap == "far":
        return "more than a month apart"
    if gap.endswith("d"):
        days = int(gap.removesuffix("d"))
        return f"B {abs(days)} day{'' if abs(days) == 1 else 's'} {'later' if days > 0 else 'earlier'}"
    size = Decimal(10) ** int(gap[1:])
    return f"B {'above' if gap[0] == '+' else 'below'} A by {size:,f} to {size * 10:,f}"
