"""What a preview says of the chosen breaks as they stand now: how many, how much, and what a decision would meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from reconciliation.models import Break, access_of
from reconciliation.models.break_ import HIDDEN
from review.models import BulkPreview
from review.query.words import BANDS

_EACH = """
SELECT b.state, CASE WHEN b.band = ANY(%(hidden)s) THEN b.band ELSE '' END, b.currency, count(*), sum(b.amount),
    count(*) FILTER (WHERE b.fingerprint <> c.fingerprint),
    count(*) FILTER (WHERE r.four_eyes),
    count(*) FILTER (WHERE b.kind = 'duplicate'),
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM reconciliation_gaterefusal g WHERE g.break_id = b.id AND g.current
        AND (g.condition LIKE 'check:%%' OR g.condition LIKE 'flagged:%%') AND NOT EXISTS (
            SELECT FROM review_waiver w WHERE w.break_id = b.id AND w.condition = g.condition
            AND w.fingerprint = b.fingerprint))),
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM reconciliation_gaterefusal g WHERE g.break_id = b.id AND g.current AND g.condition = 'audit')),
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM review_decision d WHERE d.break_id = b.id AND d.confirmed_by_id IS NULL AND NOT d.withdrawn))
FROM review_bulkpreview p
CROSS JOIN LATERAL jsonb_to_recordset(p.chosen) AS c(id bigint, fingerprint text)
JOIN reconciliation_break b ON b.id = c.id
JOIN reconciliation_reconciliation r ON r.id = b.reconciliation_id
WHERE p.id = %(preview)s AND (b.reconciliation_id = ANY(%(whole)s) OR b.scope_id = ANY(%(scopes)s))
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Cell:
    """Breaks of one state and currency."""

    state: str
    hidden: str
    currency: str
    count: int
    amount: Decimal | None
    moved: int
    second: int
    duplicates: int
    held: int
    audited: int
    proposed: int


@dataclass(frozen=True)
class Sum:
    """The amounts of one currency; `count` breaks have one."""

    currency: str
    count: int
    amount: Decimal


@dataclass(frozen=True)
class Summary:
    """The chosen breaks, most of them in review. The counts below `moved` are of those in review with the values of then."""

    count: int
    unseen: int
    sums: Sequence[Sum]
    states: Sequence[tuple[str, int]]
    in_review: int
    moved: int
    second: int
    duplicates: int
    held: int
    audited: int
    proposed: int

    @property
    def is_mixed(self) -> bool:
        """Whether not all of them can be decided."""
        return self.in_review < self.count or self.moved > 0

    @property
    def without_amount(self) -> int:
        """How many of those that one may see no sum counts."""
        return self.count - self.unseen - sum(it.count for it in self.sums)


def summary_of(preview: BulkPreview, user: User) -> Summary:
    """One query over the chosen breaks."""
    seen = access_of(user)
    given: dict[str, Any] = {
        "preview": preview.pk,
        "whole": list(seen.whole),
        "scopes": list(seen.scopes),
        "hidden": list(HIDDEN),
    }
    with connection.cursor() as cursor:
        cursor.execute(_EACH, given)
        cells = [Cell(*row) for row in cursor.fetchall()]
    review = [it for it in cells if it.state == Break.State.REVIEW]
    found = sum(it.count for it in cells)
    return Summary(
        count=len(preview.chosen),
        unseen=len(preview.chosen) - found,
        sums=_sums(cells),
        states=_states(cells),
        in_review=sum(it.count for it in review),
        **{
            name: sum(getattr(it, name) for it in review)
            for name in ("moved", "second", "duplicates", "held", "audited", "proposed")
        },
    )


def _sums(cells: Sequence[Cell]) -> list[Sum]:
    currencies = sorted({it.currency for it in cells if it.amount is not None})
    parts = {
        currency: [it for it in cells if it.currency == currency and it.amount is not None] for currency in currencies
    }
    return [
        Sum(currency, sum(it.count for it in of), sum((it.amount or Decimal(0) for it in of), Decimal(0)))
        for currency, of in parts.items()
    ]


def _states(cells: Sequence[Cell]) -> list[tuple[str, int]]:
    """How many stand in each state, as people call it, most first."""
    counts: dict[str, int] = {}
    for it in cells:
        name = BANDS[it.hidden] if it.hidden and it.state == Break.State.REVIEW else Break.State(it.state).label
        counts[name] = counts.get(name, 0) + it.count
    return sorted(counts.items(), key=lambda it: -it[1])
