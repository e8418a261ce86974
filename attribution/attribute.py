"""The attribute step: explain a range's differences, let through the gate what may pass, hold the rest for a person."""

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.utils import timezone

from attribution.classifier import Attribution, band, explain, matched_late, row_attribution
from attribution.context import context_of
from attribution.custody import seal_attributions
from attribution.provers.evidence import Difference as Evidence
from ingestion.work import claim, finish, give_back, heartbeat
from reconciliation.bulk import analyze, new_ids
from reconciliation.custody import seal_breaks
from reconciliation.gate import Condition, Explained, verdict
from reconciliation.inputs import Inputs, inputs_of
from reconciliation.models import Break, Difference, GateRefusal, Member, RunStep
from reconciliation.rules import Rules, proposed
from reconciliation.session import session
from reconciliation.store.records import Record, records_relation, store_relation


@dataclass
class Case:
    """A break with what the step needs of it, and what it finds."""

    brk: Break
    differences: list[Difference] = field(default_factory=list)
    members: dict[str, list[Member]] = field(default_factory=lambda: defaultdict(list))
    refusals: list[GateRefusal] = field(default_factory=list)
    attributions: list[Attribution] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    record: Record = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Whether every condition of the gate holds; only differing records may pass without a person."""
        return self.brk.kind == Break.Kind.DIFFERING and all(it.holds for it in self.conditions)

    def one(self, side: str) -> Record | None:
        """The record of a side's first row."""
        return self.members[side][0].record if self.members[side] else None


def attribute_range(step: RunStep) -> None:
    """Claim and run an attribute step; a second call finds it done."""
    claimed = claim(step)
    if claimed is None:
        return
    try:
        with heartbeat(claimed):
            _attribute(claimed)
    except BaseException as error:
        give_back(claimed, repr(error))
        raise


def _attribute(step: RunStep) -> None:
    given, rules = inputs_of(step), Rules(step.run.rule_set.document)
    cases = _cases(step)
    _explain(cases, given, rules)
    passed = [case for case in cases if case.passes]
    with transaction.atomic(), session(f"attribute-{step.pk}") as (duck, _):
        began = time.monotonic()
        if passed:
            rows = [(case.brk.key, case.brk.bucket, case.record) for case in passed]
            records_relation(duck, given.shape, rows, "passing")
            store_relation(
                duck,
                "passing",
                shape=given.shape,
                record_type=step.run.reconciliation.record_type,
                run_id=step.run_id,
                business_date=step.run.business_date,
                mapped=given.mapped_a | given.mapped_b,
                bucket_range=(step.first_bucket, step.last_bucket),
            )
        stored = time.monotonic() - began
        late = _late(step)
        _write_attributions(
            step, [(d, a) for c in cases for d, a in zip(c.differences, c.attributions, strict=True)] + late
        )
        _write_verdicts(step, cases)
        analyze(len(cases), "attribution_attribution", "attribution_candidate")
        ids = [case.brk.pk for case in cases]
        seal_breaks(ids)
        seal_attributions([*ids, *(difference.brk_id for difference, _ in late)])
        finish(step, records=len(cases), counts={"passed": len(passed), "store_seconds": round(stored, 3)})


def _cases(step: RunStep) -> list[Case]:
    """The breaks that this run opened or changed in the range, with their parts, in four queries."""
    breaks = Break.objects.filter(
        last_run=step.run, state=Break.State.IN_FLIGHT, bucket__range=(step.first_bucket, step.last_bucket)
    ).order_by("id")
    cases = {brk.pk: Case(brk) for brk in breaks}
    part = {"brk__in": breaks, "current": True}
    for difference in Difference.objects.filter(**part).order_by("id"):
        cases[difference.brk_id].differences.append(difference)
    for member in Member.objects.filter(**part).order_by("side", "position"):
        cases[member.brk_id].members[member.side].append(member)
    for refusal in GateRefusal.objects.filter(**part):
        cases[refusal.brk_id].refusals.append(refusal)
    return list(cases.values())


def _explain(cases: Sequence[Case], given: Inputs, rules: Rules) -> None:
    """Give each case its attributions, its proposed record and the gate's conditions."""
    leaves = {compared.name: compared.leaves[0] for compared in given.shape.compared}
    asked = [(case, d) for case in cases if case.brk.kind == Break.Kind.DIFFERING for d in case.differences]
    evidence = [
        Evidence(
            d.field,
            leaves.get(d.field),
            d.kind,
            d.value_a,
            d.value_b,
            d.raw_a,
            d.raw_b,
            case.one("a") or {},
            case.one("b") or {},
        )
        for case, d in asked
    ]
    for (case, _), attribution in zip(asked, explain(evidence, context_of(rules, given.shape)), strict=True):
        case.attributions.append(attribution)
    for case in cases:
        if case.brk.kind != Break.Kind.DIFFERING:
            words = " ".join(refusal.sentence for refusal in case.refusals)
            case.attributions = [row_attribution(case.brk.kind, words if case.brk.kind == Break.Kind.GATE else "")]
            continue
        case.record = proposed(given.shape, rules, case.one("a"), case.one("b"), given.mapped_a, given.mapped_b)
        case.conditions = _conditions(case, rules)


def _conditions(case: Case, rules: Rules) -> list[Condition]:
    explained = [
        Explained(d.field, a.reason, a.functional, a.confidence, d.kind == Difference.Kind.TYPE, d.value_a, d.value_b)
        for d, a in zip(case.differences, case.attributions, strict=True)
    ]
    failed = [Condition(r.condition, r.sentence, holds=False, detail=r.detail) for r in case.refusals]
    return verdict(rules.gate, explained, case.record, failed)


def _late(step: RunStep) -> list[tuple[Difference, Attribution]]:
    """Breaks that a late partner closed in this run: the lag explains them."""
    closed = Difference.objects.filter(
        brk__last_run=step.run,
        brk__state=Break.State.CLOSED,
        brk__closed_because="matched late",
        brk__bucket__range=(step.first_bucket, step.last_bucket),
        current=True,
    ).select_related("run")
    return [(d, matched_late((step.run.business_date - d.run.business_date).days)) for d in closed]


def _write_attributions(step: RunStep, pairs: Sequence[tuple[Difference, Attribution]]) -> None:
    """COPY attributions and their candidates; earlier ones of the same differences are no longer current."""
    ids = new_ids("attribution_attribution", len(pairs))
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE attribution_attribution SET current = false WHERE current AND difference_id = ANY(%s)",
            [[difference.pk for difference, _ in pairs]],
        )
        _copy(
            "attribution_attribution (id, difference_id, reason_id, functional, confidence, proof, assigned_by, run_id, "
            "assigned_at, current)",
            (
                (int(i), d.pk, a.reason, a.functional, a.confidence, a.proof, a.assigned_by, step.run_id, now, True)
                for i, (d, a) in zip(ids, pairs, strict=True)
            ),
        )
        _copy(
            "attribution_candidate (attribution_id, rank, reason_id, confidence, evidence)",
            (
                (int(i), rank, c.reason, c.confidence, c.sentence)
                for i, (_, a) in zip(ids, pairs, strict=True)
                for rank, c in enumerate(a.candidates, 1)
            ),
        )


def _copy(target: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _write_verdicts(step: RunStep, cases: Sequence[Case]) -> None:
    """Write what the gate said and where each break stands now."""
    now = timezone.now()
    _copy(
        "reconciliation_gaterefusal (break_id, run_id, condition, sentence, detail, current)",
        (
            (case.brk.pk, step.run_id, it.code[:120], it.sentence[:1000], it.detail[:1000], True)
            for case in cases
            for it in case.conditions
            if not it.holds and it.code not in {refusal.condition for refusal in case.refusals}
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS break_verdict")
        cursor.execute(
            "CREATE TEMP TABLE break_verdict (id bigint, state text, confidence numeric, band text, closed_at timestamptz, because text)"
        )
        _copy("break_verdict", (_standing(case, now) for case in cases))
        cursor.execute(
            "UPDATE reconciliation_break b SET state = v.state, confidence = v.confidence, band = v.band, "
            "closed_at = v.closed_at, closed_because = v.because FROM break_verdict v WHERE v.id = b.id"
        )
        cursor.execute(
            "UPDATE reconciliation_member m SET state = 'stored' FROM break_verdict v "
            "WHERE v.state = 'passed' AND m.break_id = v.id AND m.current AND m.state = 'in_review'"
        )


def _standing(case: Case, now: dt.datetime) -> tuple[object, ...]:
    lowest = min(case.attributions, key=lambda it: it.confidence)
    unknown = next((it for it in case.attributions if it.reason == "UNKNOWN"), lowest)
    said = band(unknown.confidence, unknown.reason)
    if case.passes:
        return (case.brk.pk, Break.State.PASSED, lowest.confidence, said, now, "passed the gate")
    return (case.brk.pk, Break.State.REVIEW, lowest.confidence, said, None, "")
