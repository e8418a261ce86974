"""Past breaks like one, with what people decided of them: looked for in the same reconciliation, among the latest decided ones of
its kind and the latest labels that were imported. One query, however many breaks there are."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from attribution.difference_rows import acted_through
from attribution.nearness import ALIKE, Look, nearness
from reconciliation.models import Access, Break, Difference
from review.breaks.explained import ROW_TITLE
from review.models.decision import DONE

LATEST = 300  # decided breaks that are looked at
LATEST_LABELS = 1_000  # imported labels that are looked at, of any reconciliation
SHOWN = 5
LABEL = "label"
NO_REASON = ("", "UNKNOWN")


@dataclass(frozen=True)
class Past:
    """A difference of which a person decided: what it was, how alike in percent, and the decision."""

    break_id: int
    key: str
    value_a: str | None
    value_b: str | None
    alike: int
    action: str
    reason: str
    who: str
    at: dt.datetime
    comment: str

    @property
    def outcome(self) -> str:
        """What was decided: `approved as FX_VARIANCE`."""
        done = "labelled" if self.action == LABEL else DONE[self.action][0].lower()
        return f"{done} without a reason" if self.reason in NO_REASON else f"{done} as {self.reason}"


@dataclass(frozen=True)
class Outcome:
    """What was decided, and of how many."""

    outcome: str
    breaks: int


@dataclass(frozen=True)
class Similar:
    """Past differences like one: the most alike first. `alike`: how many there are of the `seen` ones; `outcomes`: what was decided
    of them, the most frequent first."""

    field: str
    seen: int
    alike: int
    outcomes: tuple[Outcome, ...]
    past: tuple[Past, ...]

    @property
    def shown(self) -> str:
        """The field as people read it."""
        return ROW_TITLE if self.field == Difference.ROW else self.field

    @property
    def summary(self) -> str:
        """`12 of 13 alike were approved as ROUNDING_DIFF.`"""
        if not self.alike:
            return (
                f"None of the {self.seen:,} decided latest is like it: other records, or another gap."
                if self.seen
                else "Nobody decided such a break yet."
            )
        what, count = self.outcomes[0].outcome, self.outcomes[0].breaks
        if self.alike == 1:
            return f"The one that is alike was {what}."
        return f"{f'All {count:,}' if count == self.alike else f'{count:,} of {self.alike:,}'} alike were {what}."


def similar_breaks(brk: Break, seen: Access) -> list[Similar]:
    """For each current difference of a break, what became of those like it, as far as `seen` lets one see them."""
    leaves = [leaf.name for leaf in acted_through(brk.reconciliation.record_type.shape())]
    rows = _rows(brk, leaves, seen)
    own = {row["field"]: row for row in rows if row["action"] is None}
    by_field: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["action"] is not None and row["field"] in own:
            by_field[row["field"]].append(row)
    return [_similar(field, row, by_field[field], leaves) for field, row in own.items()]


def _similar(field: str, own: dict[str, Any], rows: list[dict[str, Any]], leaves: Sequence[str]) -> Similar:
    places = _recurring([own, *rows], [at for at, name in enumerate(leaves) if name.partition(".")[0] != field])
    look = _look(own, places)
    found = [_past(row, nearness(look, _look(row, places))) for row in rows]
    near = sorted((it for it in found if it.alike >= ALIKE * 100), key=lambda it: (-it.alike, -it.at.timestamp()))
    outcomes = tuple(Outcome(*it) for it in Counter(it.outcome for it in near).most_common())
    return Similar(field, len(rows), len(near), outcomes, tuple(near[:SHOWN]))


def _recurring(rows: list[dict[str, Any]], places: Sequence[int]) -> list[int]:
    """The places of fields whose values come again: a text of its own for each record says nothing of who and where."""
    return [at for at in places if len({row["habits"][at] for row in rows}) <= max(1, len(rows) // 2)]


def _look(row: dict[str, Any], places: Sequence[int]) -> Look:
    return Look(row["value_a"], row["value_b"], [row["habits"][at] for at in places])


def _past(row: dict[str, Any], near: float) -> Past:
    names = ("break_id", "key", "value_a", "value_b", "action", "reason", "who", "at", "comment")
    return Past(alike=int(near * 100), **{name: row[name] for name in names})


def _rows(brk: Break, leaves: Sequence[str], seen: Access) -> list[dict[str, Any]]:
    """The break's own current differences (without an action), and those of the latest decided or labelled ones."""
    habits = ", ".join(["coalesce(a.record ->> %s, b.record ->> %s)"] * len(leaves))
    named = [name for leaf in leaves for name in (leaf, leaf)]
    own, of = brk.pk, (brk.reconciliation_id, brk.kind, brk.reconciliation_id in seen.whole, list(seen.scopes))
    with connection.cursor() as cursor:
        cursor.execute(_SQL.replace("{habits}", habits), [*named, own, *of, own, own, *of])
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_SQL = f"""
SELECT f.field, f.value_a, f.value_b, f.break_id, f.key, f.action, f.reason, f.who, f.at, f.comment,
  ARRAY[{{habits}}]::text[] AS habits
FROM (
  SELECT d.id, d.field, d.value_a, d.value_b, d.break_id, '' AS key, NULL AS action, '' AS reason, '' AS who,
    NULL::timestamptz AS at, '' AS comment
  FROM reconciliation_difference d WHERE d.break_id = %s AND d.current
  UNION ALL
  SELECT d.id, d.field, d.value_a, d.value_b, d.break_id, b.key, x.action, coalesce(c.reason_id, b.reason), u.username,
    x.confirmed_at, x.comment
  FROM (
    SELECT id, key, reason FROM reconciliation_break WHERE reconciliation_id = %s AND kind = %s
    AND (%s OR scope_id = ANY(%s)) AND state IN ('approved', 'rejected') AND id <> %s ORDER BY id DESC LIMIT {LATEST}
  ) b
  JOIN reconciliation_difference d ON d.break_id = b.id AND d.current
  JOIN LATERAL (
    SELECT action, comment, confirmed_at, confirmed_by_id FROM review_decision
    WHERE break_id = b.id AND confirmed_by_id IS NOT NULL ORDER BY id DESC LIMIT 1
  ) x ON true
  JOIN auth_user u ON u.id = x.confirmed_by_id
  LEFT JOIN attribution_correction c ON c.difference_id = d.id AND c.active
  UNION ALL
  SELECT d.id, d.field, d.value_a, d.value_b, d.break_id, b.key, '{LABEL}', c.reason_id, c.confirmed_by, c.confirmed_at, ''
  FROM (
    SELECT difference_id, reason_id, confirmed_by, confirmed_at FROM attribution_correction
    WHERE active AND decision IS NULL ORDER BY id DESC LIMIT {LATEST_LABELS}
  ) c
  JOIN reconciliation_difference d ON d.id = c.difference_id
  JOIN reconciliation_break b ON b.id = d.break_id AND b.id <> %s AND b.reconciliation_id = %s AND b.kind = %s
    AND (%s OR b.scope_id = ANY(%s)) AND b.state NOT IN ('approved', 'rejected')
) f
LEFT JOIN reconciliation_member a ON a.break_id = f.break_id AND a.current AND a.position = 1 AND a.side = 'a'
LEFT JOIN reconciliation_member b ON b.break_id = f.break_id AND b.current AND b.position = 1 AND b.side = 'b'
ORDER BY f.action IS NOT NULL, f.id
"""
