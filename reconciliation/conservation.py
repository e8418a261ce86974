"""Conservation: how many rows of a run stand in which state now, and that they add up to what was received."""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Sum

from reconciliation.models import Break, Member, OutcomeCount, Run
from reconciliation.models.break_ import MemberQuerySet
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
    inputs = [(given.side, given.normalization) for given in run.inputs.select_related("normalization")]
    received = {side: sum(it.received or 0 for of, it in inputs if of == side) for side in ("a", "b")}
    states: Counter[str] = Counter(quarantined=sum(it.quarantined or 0 for _, it in inputs))
    told = OutcomeCount.objects.filter(file__step__run=run).values_list("state").annotate(Sum("rows"))
    states.update(dict(told))
    in_break = states.pop(IN_BREAK, 0)
    if run.state == Run.State.DONE:
        several = len(inputs) > len({side for side, _ in inputs})
        states.update(standing(run, several=several).count_by_fate())
    else:
        states["in_flight"] += in_break + sum(received.values()) - sum(states.values()) - in_break
    return Conservation(received["a"], received["b"], {state: states.get(state, 0) for state in STATES})


def standing(run: Run, *, several: bool = True) -> MemberQuerySet:
    """The run's rows that stood in a break when it ended.

    A row may stand in several episodes of its key: the one that counts was opened by this run or before, and no earlier
    run, nor this one, closed it. Of several deliveries of a side the latest decides a key;
    `several` says whether there may be any.
    """
    deliveries = run.inputs.values("normalization__delivery")
    rows = Member.objects.filter(delivery__in=deliveries, brk__reconciliation=run.reconciliation_id)
    stood = rows.filter(brk__opened_run__lte=run.pk, brk__last_run__gte=run.pk)
    stood = stood.exclude(brk__state=Break.State.CLOSED, brk__last_run=run.pk)
    if not several:
        return stood
    same = {name: OuterRef(name) for name in ("brk", "side")}
    return stood.exclude(
        Exists(Member.objects.filter(**same, delivery__in=deliveries, delivery__gt=OuterRef("delivery")))
    )
