"""What changed in a break since a proposal was made about it."""

from typing import NamedTuple

from reconciliation.models import Break, Member
from review.models import Decision

SIDES = ("a", "b")


class ChangedValue(NamedTuple):
    """A field of one side: as it was when the proposal was made, and as it is now. Null is an empty field, or no row at all."""

    side: str
    field: str
    then: str | None
    now: str | None


def changes_since(decision: Decision) -> list[ChangedValue]:
    """The values of the first rows of both sides that differ from what the proposal saw, in the order of the record."""
    seen, now = rows_seen(decision.brk_id, decision.run_id), _current(decision.brk_id)
    return [
        ChangedValue(side, name, then, is_now)
        for side in SIDES
        for name, then, is_now in _pairs(decision.brk, seen.get(side), now.get(side))
        if then != is_now
    ]


def _pairs(brk: Break, seen: Member | None, now: Member | None) -> list[tuple[str, str | None, str | None]]:
    leaves = [leaf.name for leaf in brk.reconciliation.record_type.shape().leaves]
    return [(name, _value(seen, name), _value(now, name)) for name in leaves]


def _value(member: Member | None, name: str) -> str | None:
    if member is None:
        return None
    return member.raw.get(name) if name in member.flags else member.record.get(name)


def rows_seen(brk: int, run: int) -> dict[str, Member]:
    """The first row of each side as they stood in a break after a run."""
    stood = Member.objects.filter(brk=brk, run__lte=run, position=1)
    return {it.side: it for it in stood.order_by("run", "id")}


def _current(brk: int) -> dict[str, Member]:
    return {it.side: it for it in Member.objects.filter(brk=brk, current=True, position=1)}
