"""The guard: what the blind audits say of a gate, the step to a stricter one when the bound is broken, and the way back.

The test starts anew with each step of the gate and each window of 30 days: a long clean history would use up the evidence and
hide that the world changed (attribution/statistics/audit_test.py).
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from attribution.models import AuditAnswer, Draw, GateStep
from attribution.registry import champion_of
from attribution.rungs import bound_after, bound_of, gate_of, next_rung
from attribution.statistics.audit_test import TRIPS, WARNS, evidence
from ingestion import custody
from ingestion.alerts import raise_event
from ingestion.audit_log import record_event
from reconciliation.models import Reconciliation, RuleSet

WINDOW = dt.timedelta(days=30)
DECIDES = ("gate", "provers", "compare")  # the rules that decide what passes


class ReopenRefused(ValueError):
    """A gate that cannot be opened; the text says why, and what helps."""


@dataclass(frozen=True)
class Standing:
    """What the audits of the present window say of a gate. `bound` is in force, None where it is closed; `reached` is the
    strongest evidence since `since`, `evidence` the present one."""

    reconciliation: Reconciliation
    bound: Decimal | None
    promised: Decimal
    has_budget: bool
    since: dt.datetime | None
    answers: int
    wrong: int
    waiting: int
    evidence: float
    reached: float
    step: GateStep | None

    @property
    def is_closed(self) -> bool:
        """Whether nothing passes."""
        return self.bound is None

    @property
    def warns(self) -> bool:
        """Whether the evidence is strong enough to look, and not yet to step."""
        return not self.is_closed and self.evidence >= WARNS

    @property
    def trips(self) -> bool:
        """Whether the bound counts as broken."""
        return not self.is_closed and self.reached >= TRIPS

    @property
    def state(self) -> str:
        """closed, stepped (to a stricter bound than promised), warned or open."""
        if self.is_closed:
            return "closed"
        return "stepped" if self.may_reopen else "warned" if self.warns else "open"

    @property
    def may_reopen(self) -> bool:
        """Whether the gate stands stricter than it promises."""
        return self.step is not None and self.step.kind == GateStep.Kind.TRIP and self.bound != self.promised


def standing_of(reconciliation: Reconciliation, now: dt.datetime | None = None) -> Standing:
    """Where a gate stands, and how strong the evidence against it is."""
    return standings([reconciliation], now)[0]


def standings(reconciliations: Sequence[Reconciliation], now: dt.datetime | None = None) -> list[Standing]:
    """Where gates stand, in three queries however many there are."""
    now = now or timezone.now()
    newest = GateStep.objects.filter(reconciliation__in=reconciliations).order_by("reconciliation_id", "-number")
    steps = {it.reconciliation_id: it for it in newest.distinct("reconciliation_id")}
    drawn = {of: (first, waiting) for of, first, waiting in _drawn(reconciliations)}
    windows = {it.pk: _window(drawn.get(it.pk, (None, 0))[0], steps.get(it.pk), now) for it in reconciliations}
    said = _settled(windows, steps)
    return [
        _standing(it, steps.get(it.pk), windows[it.pk], said[it.pk], drawn.get(it.pk, (None, 0))[1])
        for it in reconciliations
    ]


def _drawn(reconciliations: Sequence[Reconciliation]) -> QuerySet[Draw, Any]:
    """Of each reconciliation the moment of its first audit, and how many wait."""
    audits = Draw.objects.filter(purpose=Draw.Purpose.AUDIT, run__reconciliation__in=reconciliations).order_by()
    settled = Exists(AuditAnswer.objects.filter(counts=True, draw=OuterRef("pk")))
    counted = audits.annotate(settled=settled).values_list("run__reconciliation")
    return counted.annotate(first=Min("drawn_at"), waiting=Count("pk", filter=Q(settled=False)))


def _window(first: dt.datetime | None, step: GateStep | None, now: dt.datetime) -> dt.datetime | None:
    """When the present window began: whole windows after the last step, or after the first draw."""
    anchor = step.at if step else first
    return None if anchor is None else anchor + max((now - anchor) // WINDOW, 0) * WINDOW


def _settled(windows: Mapping[int, dt.datetime | None], steps: Mapping[int, GateStep]) -> defaultdict[int, list[bool]]:
    """Whether each audited pass of the windows was wrong, in the order in which that was settled. What passed before the last
    step says nothing of what passes now."""
    found: defaultdict[int, list[bool]] = defaultdict(list)
    begun = [since for since in windows.values() if since is not None]
    if not begun:
        return found
    answers = AuditAnswer.objects.filter(
        counts=True, answered_at__gte=min(begun), draw__run__reconciliation__in=windows
    )
    columns = ("draw__run__reconciliation", "answered_at", "draw__drawn_at", "functional")
    for of, at, drawn_at, functional in answers.order_by("answered_at", "id").values_list(*columns):
        since, step = windows[of], steps.get(of)
        if since is not None and at >= since and (step is None or drawn_at >= step.at):
            found[of].append(not functional)
    return found


def _standing(
    reconciliation: Reconciliation, step: GateStep | None, since: dt.datetime | None, said: list[bool], waiting: int
) -> Standing:
    gate = gate_of(reconciliation)
    bound = bound_after(step, promised := bound_of(gate), has_budget=bool(gate.budget))
    grown = evidence(said, float(bound)).tolist() if bound is not None else []
    return Standing(
        reconciliation=reconciliation,
        bound=bound,
        promised=promised,
        has_budget=bool(gate.budget),
        since=since,
        answers=len(said),
        wrong=sum(said),
        waiting=waiting,
        evidence=grown[-1] if grown else 1.0,
        reached=max(grown, default=1.0),
        step=step,
    )


@transaction.atomic
def judge_gate(reconciliation: Reconciliation, now: dt.datetime | None = None) -> GateStep | None:
    """Move the gate where the evidence says so. Gives the step; None where nothing moves. A second call finds nothing to do."""
    now = now or timezone.now()
    reconciliation = Reconciliation.objects.select_for_update(of=("self",)).select_related("a", "b").get(
        pk=reconciliation.pk
    )  # fmt: skip
    found = standing_of(reconciliation, now)
    if found.trips:
        return _trip(found, now)
    if found.warns:
        sentence = f"The audits of {reconciliation.code} warn. {_counted(found)} The evidence is {found.evidence:.1f}; {TRIPS:.0f} moves the gate."
        _tell("gate.warned", f"{reconciliation.code} {found.since}", sentence, reconciliation, now)
    return None


def _trip(found: Standing, now: dt.datetime) -> GateStep:
    assert found.bound is not None
    bound = next_rung(found.bound) if found.has_budget else None
    step = _write(
        found,
        kind=GateStep.Kind.TRIP,
        bound=bound,
        broken=found.bound,
        evidence=found.reached,
        answers=found.answers,
        wrong=found.wrong,
        because=_counted(found),
        at=now,
    )
    went = "closed" if bound is None else f"went to at most {percent(bound)}"
    event = "gate.closed" if bound is None else "gate.stepped"
    sentence = f"The gate of {found.reconciliation.code} {went}. {step.because}"
    _tell(event, f"{found.reconciliation.code} {step.number}", sentence, found.reconciliation, now)
    return step


def _counted(found: Standing) -> str:
    assert found.bound is not None
    return (
        f"{found.wrong} of {found.answers} audited records had a cause that is not functional; "
        f"at most {percent(found.bound)} may."
    )


def percent(share: Decimal) -> str:
    """A bound as people read it: `2 %`."""
    return f"{(share * 100).normalize():f} %"


def _tell(event: str, mark: str, sentence: str, reconciliation: Reconciliation, now: dt.datetime) -> None:
    raise_event(
        event=event, mark=mark, sentence=sentence, sources=[reconciliation.a, reconciliation.b],
        reconciliation=reconciliation.pk, link="/gates/", now=now,
    )  # fmt: skip


def _write(found: Standing, **values: object) -> GateStep:
    number = found.step.number + 1 if found.step else 1
    step = GateStep.objects.create(reconciliation=found.reconciliation, number=number, **values)
    custody.seal([step])
    return step


@transaction.atomic
def reopen_gate(*, reconciliation: Reconciliation, by: User, comment: str) -> GateStep:
    """Open a gate to what it promises, from the next run on. ReopenRefused where nothing changed since it was moved, or the
    person has not the right."""
    if not by.has_perm("attribution.add_gatestep"):
        raise ReopenRefused("Managers open gates. Ask one of them.")
    if not comment.strip():
        raise ReopenRefused("Opening a gate needs a comment that says what was mended.")
    Reconciliation.objects.select_for_update().get(pk=reconciliation.pk)
    found = standing_of(reconciliation)
    if not found.may_reopen or found.step is None:
        raise ReopenRefused(f"The gate of {reconciliation.code} is open.")
    if not _mended(reconciliation, found.step):
        raise ReopenRefused(
            f"Nothing changed since the gate of {reconciliation.code} was moved on {found.step.at:%-d %B %Y}. Promote a new "
            "model, get a new certificate or change the gate's rules first."
        )
    now = timezone.now()
    record_event(
        "gate.reopened", of=reconciliation, by=by, reconciliation=reconciliation.pk,
        before={"bound": found.step.bound}, after={"bound": found.promised, "comment": comment.strip()},
    )  # fmt: skip
    return _write(
        found, kind=GateStep.Kind.REOPEN, bound=found.promised, because=comment.strip(), at=now, by=by.get_username()
    )


def _mended(reconciliation: Reconciliation, step: GateStep) -> bool:
    """Whether what decides is another than when the gate was moved: a champion, a certificate, or rules."""
    champion = champion_of(reconciliation)
    if champion is not None and champion.promoted_at is not None and champion.promoted_at > step.at:
        return True
    if champion is not None and champion.certificates.filter(made_at__gt=step.at).exists():
        return True
    before = RuleSet.objects.filter(reconciliation=reconciliation, created_at__lte=step.at).order_by("-version").first()
    now = reconciliation.rules
    return before is not None and any((before.document.get(it) or {}) != (now.get(it) or {}) for it in DECIDES)
