"""The report of a run: counts that add up, in the shape that programs read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, F

from ingestion.models import Normalization
from reconciliation.models import Break, Difference, Run, RunStep
from reconciliation.statement import compile_statement
from reconciliation.waiting import open_by_age

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
        "open": open_by_age(run),
        "statement": compile_statement(run),
        "seconds": _seconds(run, steps),
    }


def _records(counts: Iterable[dict]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each["classes"])
    return {name: total.get(name, 0) for name in CLASSES if name != "confirmed" or total.get(name)}


def keys_in_breaks(report: Mapping[str, Any]) -> int:
    """How many keys of a report do not simply agree."""
    return sum(keys for name, keys in report["records"].items() if name not in ("matched", "confirmed"))


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
    diff, attribute = ([it for it in steps if it.step == step] for step in (RunStep.Step.DIFF, RunStep.Step.ATTRIBUTE))
    storing = (_stored(diff), _stored(attribute))
    return {
        "ingest": round(ingest, 3),
        "diff": round(_covered(diff) - storing[0], 3),
        "attribute": round(_covered(attribute) - storing[1], 3),
        "store": round(sum(storing), 3),
    }


def _covered(steps: list[RunStep]) -> float:
    """Seconds in which at least one of the steps ran: ranges may run side by side."""
    seconds, until = 0.0, None
    for began, ended in sorted((it.started_at, it.finished_at) for it in steps if it.started_at and it.finished_at):
        if until is None or ended > until:
            seconds += (ended - (began if until is None else max(began, until))).total_seconds()
            until = ended
    return seconds


def _stored(steps: list[RunStep]) -> float:
    """What storing took of the time that the steps covered."""
    whole = sum(it.seconds or 0 for it in steps)
    stored = sum(it.counts.get("store_seconds", 0) for it in steps)
    return stored * _covered(steps) / whole if whole else 0.0
