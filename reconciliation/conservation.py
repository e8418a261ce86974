"""Conservation: how many rows of a run stand in which state now, and that they add up to what was received."""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Sum

from ingestion.models import Normalization
from reconciliation.models import Member, OutcomeCount, Run
from reconciliation.outcomes import IN_BREAK

STATES = ("stored", "in_review", "rejected", "quarantined", "duplicate", "superseded", "out_of_scope", "in_flight")


@dataclass(frozen=True)
class Conservation:
    """Rows received and by state; `unaccounted` is zero when they add up."""

    a: int
    b: int
    states: dict[str, int] = field(default_factory=dict)

    @property
    def received(self) -> int:
        """Rows of both sides."""
        return self.a + self.b

    @property
    def unaccounted(self) -> int:
        """Rows in no state, or in two."""
        return self.received - sum(self.states.values())


def conservation(run: Run) -> Conservation:
    """Every row that a run took, by the state in which it stands now."""
    inputs = list(run.inputs.values_list("side", "normalization__received", "normalization__quarantined"))
    received = {side: sum(rows or 0 for s, rows, _ in inputs if s == side) for side in ("a", "b")}
    states: Counter[str] = Counter(quarantined=sum(rows or 0 for _, _, rows in inputs))
    told = OutcomeCount.objects.filter(file__step__run=run).values_list("state").annotate(Sum("rows"))
    states.update(dict(told))
    in_break = states.pop(IN_BREAK, 0)
    deliveries = Normalization.objects.filter(run_inputs__run=run).values("delivery")
    members = Member.objects.filter(brk__reconciliation=run.reconciliation_id, delivery__in=deliveries)
    standing = Counter(members.count_by_fate())
    if run.state == Run.State.DONE:
        states.update(standing)
    else:
        states["in_flight"] += in_break + sum(received.values()) - sum(states.values()) - in_break
    return Conservation(received["a"], received["b"], {state: states.get(state, 0) for state in STATES})
