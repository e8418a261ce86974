"""Deciding many breaks at once: what `decide` does to each of them, with a fixed number of queries for all.

A break whose case is not the plain one has its own turn, by `decide` itself: a proposal of another kind, a reason that
leaves it pending, a reference of which two of the records say different things.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from attribution.corrections import Confirmed, record_corrections
from ingestion import custody
from ingestion.shape import Shape
from reconciliation.bulk import columns, new_ids
from reconciliation.custody import seal_breaks
from reconciliation.gate import Condition
from reconciliation.holds import DECIDED, HELD, end_holds
from reconciliation.inputs import mapped_names
from reconciliation.models import Break, Difference, GateRefusal, Member, Reconciliation, Run, RunInput
from reconciliation.rechecks import failing_records
from reconciliation.rules import Rules, proposed
from reconciliation.session import session
from reconciliation.store.conflicts import reference_conflicts
from reconciliation.store.load import lock_places
from reconciliation.store.records import Record, records_relation, store_relation
from reconciliation.store.tables import StoreRefusal
from review.decisions import Action, DecisionRefused, decide
from review.decisions.checks import check_action, check_fit, check_right
from review.decisions.outcome import OLDER
from review.decisions.records import check_held, flagged_conditions
from review.models import Decision, Waiver
from review.models.decision import PENDING
from review.recorded import record_decision
from review.rights import CONFIRMS

Outcome = Decision | DecisionRefused


@dataclass(frozen=True)
class Asked:
    """What is to be done with each break, and by whom."""

    action: str
    reason: str
    comment: str
    by: User

    @property
    def rejects(self) -> bool:
        """Whether nothing is to be stored."""
        return self.action == Action.REJECT


@dataclass
class _Row:
    """A break on its way: the proposal that is confirmed, if any, the record that it would store, the decision made."""

    brk: Break
    proposal: Decision | None
    record: Record | None = None
    flagged: Sequence[Condition] = ()
    decision: Decision = field(default_factory=Decision)


@dataclass(frozen=True)
class _Group:
    """Breaks that one run saw last, which share rules, mappings and date."""

    run: Run
    shape: Shape
    rows: Sequence[_Row]


def lock_breaks(reconciliation: Reconciliation, ids: Sequence[int]) -> list[Break]:
    """Lock the places of breaks in the store, then the breaks themselves but for those that somebody else holds: who waits
    for nobody while holding a place stops nobody. Each break as it stands, with its run and reconciliation at hand."""
    buckets = list(Break.objects.filter(pk__in=ids).values_list("bucket", flat=True))
    if buckets:
        lock_places(reconciliation.record_type, (min(buckets), max(buckets)))
    free = Break.objects.select_for_update(skip_locked=True).filter(pk__in=ids).order_by("pk")
    breaks = list(free)
    runs = _runs({brk.last_run_id for brk in breaks}, reconciliation)
    for brk in breaks:
        brk.reconciliation, brk.last_run = reconciliation, runs[brk.last_run_id]
    return breaks


def _runs(ids: set[int], reconciliation: Reconciliation) -> dict[int, Run]:
    inputs = RunInput.objects.select_related("normalization__mapping")
    found = Run.objects.select_related("rule_set").prefetch_related(Prefetch("inputs", inputs)).in_bulk(ids)
    for run in found.values():
        run.reconciliation = reconciliation
    return found


STORED = "The store holds this record, since it had passed. Reject it on its own page, which takes it out."


def decide_many(breaks: Sequence[Break], seen: Mapping[int, str], asked: Asked) -> dict[int, Outcome]:
    """Decide breaks of one reconciliation that `lock_breaks` gave, in the caller's transaction. `seen` are the fingerprints that
    were looked at. By break what was decided, or what refused it."""
    try:
        check_action(asked.action, asked.reason, {})
    except DecisionRefused as refused:
        return dict.fromkeys((brk.pk for brk in breaks), refused)
    outcomes: dict[int, Outcome] = {}
    alone: list[Break] = []
    for group in _groups(breaks, seen, asked, outcomes, alone):
        alone += _decide_group(group, asked, outcomes)
    for brk in sorted(alone, key=lambda it: it.pk):
        outcomes[brk.pk] = _decide_alone(brk, seen[brk.pk], asked)
    return outcomes


def _decide_alone(brk: Break, seen: str, asked: Asked) -> Outcome:
    try:
        return decide(
            brk=brk, action=asked.action, by=asked.by, reason=asked.reason, comment=asked.comment,
            expected_fingerprint=seen,
        )  # fmt: skip
    except DecisionRefused as refused:
        return refused


def _groups(
    breaks: Sequence[Break], seen: Mapping[int, str], asked: Asked, outcomes: dict[int, Outcome], alone: list[Break]
) -> list[_Group]:
    """The plain breaks by their last run; `outcomes` takes those that are refused, `alone` those that have their own turn."""
    ids = [brk.pk for brk in breaks]
    held = GateRefusal.objects.filter(brk__in=ids, condition=GateRefusal.AUDIT, current=True)
    audited = set(held.values_list("brk_id", flat=True))
    open_ = Decision.objects.filter(brk__in=ids, confirmed_by=None, withdrawn=False).prefetch_related("values")
    proposals = {it.brk_id: it for it in open_.select_for_update()}
    plain: dict[int, list[_Row]] = defaultdict(list)
    for brk in breaks:
        try:
            check_right(brk, asked.by, seen[brk.pk])
            check_fit(brk, asked.action, None)
            if asked.rejects and brk.pk in audited:
                raise DecisionRefused(STORED)
        except DecisionRefused as refused:
            outcomes[brk.pk] = refused
            continue
        row = _Row(brk, proposals.get(brk.pk))
        if _is_plain(row, asked):
            plain[brk.last_run_id].append(row)
        else:
            alone.append(brk)
    shape = breaks[0].reconciliation.record_type.shape() if breaks else None
    return [_Group(rows[0].brk.last_run, shape, rows) for rows in plain.values() if shape is not None]


def _is_plain(row: _Row, asked: Asked) -> bool:
    if asked.reason == PENDING:
        return False
    if (proposal := row.proposal) is None:
        return True
    same = (proposal.fingerprint, proposal.action, proposal.reason) == (row.brk.fingerprint, asked.action, asked.reason)
    confirms = proposal.proposed_by_id != asked.by.pk and asked.by.has_perm(CONFIRMS)
    return same and confirms and not proposal.values.all() and proposal.chosen_id is None


def _decide_group(group: _Group, asked: Asked, outcomes: dict[int, Outcome]) -> list[Break]:
    """Decide the breaks of a group. Gives those that have to have their own turn."""
    if not asked.rejects:
        _find_records(group)
    rows = _not_held(group, outcomes)
    _make_decisions(rows, asked)
    final = [row for row in rows if row.decision.confirmed_by_id is not None]
    kept, alone = _store(group, final, outcomes)
    gone = {row.brk.pk for row in final} - {row.brk.pk for row in kept}
    made = [row for row in rows if row.brk.pk not in gone]
    _write(made, asked)
    _close(kept, asked)
    outcomes |= {row.brk.pk: row.decision for row in made}
    return alone


def _find_records(group: _Group) -> None:
    """The record that each break would store, and what of it nobody can read."""
    run, shape = group.run, group.shape
    rules, mapped = Rules(run.rule_set.document), (mapped_names(run, "a", shape), mapped_names(run, "b", shape))
    sides: dict[int, dict[str, Member]] = defaultdict(dict)
    members = Member.objects.filter(brk__in=[row.brk.pk for row in group.rows], current=True)
    for member in members.order_by("-position"):
        sides[member.brk_id][member.side] = member
    for row in group.rows:
        of = sides[row.brk.pk]
        records = {side: it.record for side, it in of.items()}
        raws = {side: {name: it.raw.get(name, "") for name in it.flags} for side, it in of.items()}
        record = proposed(shape, rules, records.get("a"), records.get("b"), *mapped)
        row.record = record if row.proposal is None else row.proposal.record
        texts = proposed(shape, rules, raws.get("a"), raws.get("b"), *mapped)
        row.flagged = flagged_conditions(texts, row.record or {}, ())


def _not_held(group: _Group, outcomes: dict[int, Outcome]) -> list[_Row]:
    """The rows that the gate lets through, with what Managers let be; the others are refused."""
    checked = [(row.brk.key, row.brk.bucket, row.record) for row in group.rows if row.record is not None]
    failing = failing_records(group.run, group.shape, checked) if checked else {}
    waived: dict[tuple[int, str], set[str]] = defaultdict(set)
    waivers = Waiver.objects.filter(brk__in=[row.brk.pk for row in group.rows])
    for brk, fingerprint, condition in waivers.values_list("brk_id", "fingerprint", "condition"):
        waived[brk, fingerprint].add(condition)
    passing = []
    for row in group.rows:
        try:
            check_held([*row.flagged, *failing.get(row.brk.key, [])], waived[row.brk.pk, row.brk.fingerprint])
            passing.append(row)
        except DecisionRefused as refused:
            outcomes[row.brk.pk] = refused
    return passing


def _make_decisions(rows: Sequence[_Row], asked: Asked) -> None:
    """The decisions, not yet written: new ones with their ids, and proposals as they are once confirmed. Each has a moment of
    its own, in the order of the ids, so that of two the later one can be told."""
    fresh = iter(new_ids(Decision._meta.db_table, sum(row.proposal is None for row in rows)).tolist())
    now = timezone.now()
    for number, row in enumerate(rows):
        at = now + dt.timedelta(microseconds=number)
        if row.proposal is not None:
            row.proposal.confirmed_by, row.proposal.confirmed_at = asked.by, at
            row.decision = row.proposal
            continue
        four_eyes = row.brk.reconciliation.four_eyes
        row.decision = Decision(
            pk=next(fresh),
            brk=row.brk,
            run=row.brk.last_run,
            fingerprint=row.brk.fingerprint,
            action=asked.action,
            reason=asked.reason,
            comment=asked.comment,
            proposed_by=asked.by,
            proposed_at=at,
            confirmed_by=None if four_eyes else asked.by,
            confirmed_at=None if four_eyes else at,
            four_eyes=four_eyes,
            record=row.record,
        )


def _store(group: _Group, rows: Sequence[_Row], outcomes: dict[int, Outcome]) -> tuple[list[_Row], list[Break]]:
    """Store the records of final decisions. Gives the rows that stand, and the breaks that have to have their own turn."""
    storing = {row.brk.key: row for row in rows if row.record is not None}
    if not storing:
        return list(rows), []
    try:
        with transaction.atomic():
            conflicting, older = _load(group, list(storing.values()))
    except StoreRefusal:  # whose record it is, each finds by itself
        return [row for row in rows if row.record is None], [row.brk for row in storing.values()]
    outcomes |= {storing[key].brk.pk: DecisionRefused(OLDER) for key in older}
    kept = [row for row in rows if row.brk.key not in conflicting | older]
    return kept, [storing[key].brk for key in conflicting]


def _load(group: _Group, rows: Sequence[_Row]) -> tuple[set[str], set[str]]:
    """Store records in one load. Gives the keys that contradict each other, and those of which the store holds a later day."""
    run, shape = group.run, group.shape
    with session(f"bulk-{rows[0].decision.pk}") as (duck, _):
        given = [(row.brk.key, row.brk.bucket, row.record or {}) for row in rows]
        records_relation(duck, shape, given, "record_of")
        reference_conflicts(duck, "record_of", shape, "conflict")
        ids = np.array([row.decision.pk for row in rows], dtype=np.int64)
        with columns(duck, "decided", {"decided_key": [row.brk.key for row in rows], "decision": ids}):
            duck.execute(
                "CREATE TEMP TABLE approved AS SELECT r.*, d.decision FROM record_of r JOIN decided d "
                "ON d.decided_key = r.key WHERE r.key NOT IN (SELECT key FROM conflict)"
            )
        conflicting = {key for (key,) in duck.execute("SELECT DISTINCT key FROM conflict").fetchall()}
        buckets = [row.brk.bucket for row in rows]
        store_relation(
            duck,
            "approved",
            shape=shape,
            record_type=group.rows[0].brk.reconciliation.record_type,
            run_id=run.pk,
            business_date=run.business_date,
            mapped=mapped_names(run, "a", shape) | mapped_names(run, "b", shape),
            each_decided=True,
            bucket_range=(min(buckets), max(buckets)),
        )
        return conflicting, {key for (key,) in duck.execute("SELECT key FROM older_key").fetchall()}


def _write(rows: Sequence[_Row], asked: Asked) -> None:
    """Write the decisions."""
    new = [row.decision for row in rows if row.proposal is None]
    confirmed = [row.decision for row in rows if row.proposal is not None]
    Decision.objects.bulk_create(new)
    if confirmed:
        Decision.objects.bulk_update(confirmed, ["confirmed_by", "confirmed_at"])
    custody.seal([*new, *confirmed])
    for row in rows:
        said = "confirmed" if row.proposal is not None else "made" if row.decision.confirmed_by_id else "proposed"
        record_decision(f"decision.{said}", row.decision, asked.by, brk=row.brk)
    held = [row.brk.pk for row in rows if row.brk.band == HELD]
    end_holds(held, DECIDED, asked.by.pk)
    seal_breaks(held)


def _close(rows: Sequence[_Row], asked: Asked) -> None:
    """What follows from final decisions: the breaks' states, and labels."""
    if not rows:
        return
    by_break = {row.brk.pk: row for row in rows}
    for row in rows:
        brk, decision = row.brk, row.decision
        brk.state = Break.State.REJECTED if decision.record is None else Break.State.APPROVED
        brk.closed_at, brk.closed_because = decision.confirmed_at, f"decision {decision.pk}"
        brk.reason = decision.reason or brk.reason
    Break.objects.bulk_update([row.brk for row in rows], ["state", "closed_at", "closed_because", "reason"])
    differences = Difference.objects.filter(brk__in=by_break, current=True).order_by("pk")
    confirmed = [
        Confirmed(
            it, by_break[it.brk_id].decision.reason, by_break[it.brk_id].decision.pk, by_break[it.brk_id].brk.last_run
        )
        for it in differences
    ]
    record_corrections(confirmed, asked.by.get_username())
    seal_breaks(list(by_break))
