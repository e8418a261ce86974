"""Conservation: how many rows of a run stand in which state now, and that they add up to what was received."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, QuerySet, Sum

from ingestion.models import Normalization
from reconciliation.models import Break, Member, OutcomeCount, Run, RunInput
from reconciliation.models.break_ import MemberQuerySet
from reconciliation.outcomes import IN_BREAK

STATES = ("stored", "in_review", "rejected", "quarantined", "duplicate", "superseded", "out_of_scope", "in_flight")


NOT_COMPARED, MATCHED = "not_compared", "matched"
MANY = 50_000  # rows in breaks; of more the planner is told whose they are, and looks no break up by itself


@dataclass(frozen=True)
class Stream:
    """So many rows of a side, what comparing made of them, and the state in which they stand now."""

    side: str
    outcome: str
    state: str
    rows: int


@dataclass(frozen=True)
class Conservation:
    """Rows received and by state; `unaccounted` is zero when they add up. `streams` are those that are settled, by their way."""

    a: int
    b: int
    states: dict[str, int] = field(default_factory=dict)
    streams: tuple[Stream, ...] = ()

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
    streams = _streams(run, inputs)
    states: Counter[str] = Counter()
    for it in streams:
        states[it.state] += it.rows
    if run.state != Run.State.DONE:
        states["in_flight"] += sum(received.values()) - sum(states.values())
    return Conservation(received["a"], received["b"], {state: states.get(state, 0) for state in STATES}, streams)


def _streams(run: Run, inputs: Sequence[tuple[str, Normalization]]) -> tuple[Stream, ...]:
    """A run's rows from their side over their outcome to their state; of a run that goes on, those that are settled."""
    found: Counter[tuple[str, str, str]] = Counter()
    for side, it in inputs:
        found[side, NOT_COMPARED, "quarantined"] += it.quarantined or 0
    told, broken = OutcomeCount.objects.filter(file__step__run=run), 0
    for side, state, rows in told.values_list("side", "state").annotate(Sum("rows")):
        if state == IN_BREAK:
            broken += rows
        else:
            found[side, MATCHED if state == "stored" else NOT_COMPARED, state] += rows
    if run.state == Run.State.DONE:
        of = [it.delivery_id for _, it in inputs] if broken > MANY else _deliveries(run)
        several = len(inputs) > len({side for side, _ in inputs})
        found += _standing_of(run, of, several=several).count_by_outcome()
    return tuple(Stream(*way, rows) for way, rows in sorted(found.items()) if rows)


def standing(run: Run) -> MemberQuerySet:
    """The run's rows that stood in a break when it ended.

    A row may stand in several episodes of its key: the one that counts was opened by this run or before, and no earlier
    run, nor this one, closed it. Of several deliveries of a side the latest decides a key.
    """
    return _standing_of(run, _deliveries(run))


def _deliveries(run: Run) -> QuerySet[RunInput, int]:
    return run.inputs.values_list("normalization__delivery", flat=True)


def _standing_of(
    run: Run, deliveries: Sequence[int] | QuerySet[RunInput, int], *, several: bool = True
) -> MemberQuerySet:
    """The same of a run with these deliveries; `several` says whether a side may have more than one."""
    rows = Member.objects.filter(delivery__in=deliveries, brk__reconciliation=run.reconciliation_id)
    stood = rows.filter(brk__opened_run__lte=run.pk, brk__last_run__gte=run.pk)
    stood = stood.exclude(brk__state=Break.State.CLOSED, brk__last_run=run.pk)
    if not several:
        return stood
    same = {name: OuterRef(name) for name in ("brk", "side")}
    return stood.exclude(
        Exists(Member.objects.filter(**same, delivery__in=deliveries, delivery__gt=OuterRef("delivery")))
    )
