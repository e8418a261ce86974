"""Rungs: how often what passes may be wrong now. The audits move a gate down the ladder, people open it again."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from attribution.models import GateStep
from reconciliation.gate import Condition
from reconciliation.models import Reconciliation
from reconciliation.rules import GateRules

LADDER = tuple(map(Decimal, ("0.10", "0.05", "0.02", "0.01")))
DEFAULT_BOUND = LADDER[0]  # of a gate without a budget: what a confidence strictly above 0.90 claims
LEAST_BOUND = LADDER[-1]


def working_bound(reconciliation: Reconciliation, budget: Decimal | None) -> Decimal | None:
    """The share of wrong passes that is in force: the budget (the default bound where there is none), or the stricter one to
    which the audits moved the gate. None where it is closed."""
    asked = DEFAULT_BOUND if budget is None else budget
    return bound_after(last_step(reconciliation), asked, has_budget=_has_budget(reconciliation))


def bound_after(step: GateStep | None, asked: Decimal, *, has_budget: bool) -> Decimal | None:
    """The bound in force after the last step; None where the gate is closed. Without a budget no certificate holds a stricter
    bound, so that any step closes, also one of earlier rules."""
    if step is None or step.kind == GateStep.Kind.REOPEN:
        return asked
    return None if step.bound is None or not has_budget else min(step.bound, asked)


def bound_of(gate: GateRules) -> Decimal:
    """What a gate promises by itself: its budget, else that at most 1 - confidence of what passes is wrong."""
    return Decimal(gate.budget) if gate.budget else max(1 - gate.confidence, LEAST_BOUND)


def gate_of(reconciliation: Reconciliation) -> GateRules:
    """The gate's rules as they stand."""
    return GateRules.from_document(reconciliation.rules.get("gate") or {})


@dataclass(frozen=True)
class Stood:
    """Where a gate stood: the `bound` in force, None where it was closed, what it `promised` by itself, and its last `step`."""

    bound: Decimal | None
    promised: Decimal
    has_budget: bool
    step: GateStep | None

    @property
    def is_moved(self) -> bool:
        """Whether the audits had moved it."""
        return self.bound != self.promised


def stood_at(reconciliation: Reconciliation, gate: GateRules, moment: dt.datetime) -> Stood:
    """Where a gate of these rules stood at a moment."""
    steps = GateStep.objects.filter(reconciliation=reconciliation, at__lte=moment)
    step, promised = steps.order_by("-number").first(), bound_of(gate)
    return Stood(bound_after(step, promised, has_budget=bool(gate.budget)), promised, bool(gate.budget), step)


def _has_budget(reconciliation: Reconciliation) -> bool:
    return bool(gate_of(reconciliation).budget)


def is_closed(reconciliation: Reconciliation) -> bool:
    """Whether the audits closed the gate, and nobody opened it since."""
    return working_bound(reconciliation, None) is None


def last_step(reconciliation: Reconciliation) -> GateStep | None:
    """Where the gate was put last; None where the guard never moved it."""
    return GateStep.objects.filter(reconciliation=reconciliation).order_by("-number").first()


def next_rung(bound: Decimal) -> Decimal | None:
    """The next stricter bound of the ladder; None below the last."""
    return max((rung for rung in LADDER if rung < bound), default=None)


def closed_gate(reconciliation: Reconciliation) -> list[Condition]:
    """The condition that holds every differing record back while the gate is closed; none while it is open."""
    step = last_step(reconciliation)
    if step is None or bound_after(step, DEFAULT_BOUND, has_budget=_has_budget(reconciliation)) is not None:
        return []
    said = f"{step.because} A Manager opens it after a new champion, a new certificate or other rules."
    return [Condition("gate", f"The gate of {reconciliation.code} is open", holds=False, detail=said)]
