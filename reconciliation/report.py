"""The report of a run: counts that add up, as contract.md has them."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, F

from ingestion.models import Normalization
from reconciliation.models import Break, Difference, Run, RunStep

CLASSES = ("matched", "differing", "missing_in_a", "missing_in_b", "duplicate", "confirmed")


def compile_report(run: Run) -> dict[str, object]:
    """The report as JSON. `seconds` are the steps' wall times; the command adds what it waited for."""
    steps = list(run.steps.all())
    counts = [step.counts for step in steps if step.step == RunStep.Step.DIFF]
    records = _records(counts)
    return {
        "run": run.pk,
        "reconciliation": run.reconciliation.code,
        "date": run.business_date.isoformat(),
        "status": run.state,
        "sides": {side: _side(run, side, counts) for side in ("a", "b")},
        "carried": {side: _carried(counts, side) for side in ("a", "b")},
        "records": records,
        "differences": _differences(run, counts),
        "outcome": _outcome(run, records),
        "seconds": _seconds(run, steps),
    }


def _records(counts: Iterable[dict]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each["classes"])
    return {name: total.get(name, 0) for name in CLASSES if name != "confirmed" or total.get(name)}


def _side(run: Run, side: str, counts: list[dict]) -> dict[str, int]:
    given = [it.normalization for it in run.inputs.filter(side=side).select_related("normalization")]
    states: Counter[str] = Counter()
    for each in counts:
        states.update(each["sides"][side])
    repeated = sum(each.get("extra", {}).get(side, 0) for each in counts)
    return {
        "received": _sum(given, "received"),
        "normalized": _sum(given, "normalized"),
        "quarantined": _sum(given, "quarantined"),
        "duplicates": repeated,
        "out_of_scope": states.get("out_of_scope", 0),
        "flagged_values": _sum(given, "flagged_values"),
        "superseded": states.get("superseded", 0),
    }


def _sum(given: list[Normalization], name: str) -> int:
    return sum(getattr(it, name) or 0 for it in given)


def _carried(counts: list[dict], side: str) -> dict[str, int]:
    return {name: sum(each["carried"][side][name] for each in counts) for name in ("offered", "closed")}


def _differences(run: Run, counts: list[dict]) -> dict[str, object]:
    fields: Counter[str] = Counter()
    for each in counts:
        fields.update(each["fields"])
    explained = (
        Difference.objects.filter(brk__last_run=run, brk__kind=Break.Kind.DIFFERING, current=True)
        .exclude(field=Difference.ROW)
        .filter(attributions__current=True)
        .values(reason=F("attributions__reason_id"))
        .annotate(times=Count("id"))
    )
    reasons = {row["reason"]: row["times"] for row in explained}
    return {
        "total": sum(fields.values()),
        "by_field": dict(sorted(fields.items())),
        "by_reason": dict(sorted(reasons.items())),
    }


def _outcome(run: Run, records: dict[str, int]) -> dict[str, int]:
    standing = dict(Break.objects.filter(last_run=run).values_list("state").annotate(Count("id")))
    in_review, rejected = standing.get(Break.State.REVIEW, 0), standing.get(Break.State.REJECTED, 0)
    return {"stored": sum(records.values()) - in_review - rejected, "in_review": in_review, "rejected": rejected}


def _seconds(run: Run, steps: list[RunStep]) -> dict[str, float]:
    ingest = sum(it.normalization.seconds or 0 for it in run.inputs.select_related("normalization"))
    by_step = {step: sum(it.seconds or 0 for it in steps if it.step == step) for step in RunStep.Step.values}
    stored = sum(it.counts.get("store_seconds", 0) for it in steps)
    diff_stored = sum(it.counts.get("store_seconds", 0) for it in steps if it.step == RunStep.Step.DIFF)
    return {
        "ingest": round(ingest, 3),
        "diff": round(by_step[RunStep.Step.DIFF] - diff_stored, 3),
        "attribute": round(by_step[RunStep.Step.ATTRIBUTE] - (stored - diff_stored), 3),
        "store": round(stored, 3),
    }
