"""The drift panel: how far each run is from what its model was trained on. Advice: it may ask for a training, never move a gate."""

from typing import Any

import duckdb
from django.db import transaction
from django.utils import timezone

from attribution.mixes import CONFIDENCE, MISSING, OTHER, REASONS, added, within
from attribution.models import ModelVersion, RunDrift, Training
from attribution.statistics.stability import move
from attribution.trainer import ask_training, new_corrections
from attribution.training import TrainingRefused
from ingestion.alerts import clear_events, raise_event
from ingestion.sql_text import quoted
from reconciliation.models import Run

LEAST = 100  # differences of a run; of fewer nothing is said
DRIFT = "model.drift"
SHOWN = 20
BASE = {REASONS, CONFIDENCE, MISSING}


def count_mixes(duck: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Add what the model met in a range to its run's counts. Call it last in the transaction that ends the step: it waits for the
    other ranges of the run."""
    model = _model_of(run)
    if (
        model is None
        or not model.reference
        or not duck.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'guess'").fetchall()
    ):
        return
    parts = {
        REASONS: "g.reason",
        CONFIDENCE: "CAST(least(floor(g.confidence * 10), 9) AS INTEGER)",
        MISSING: "CASE WHEN k.value_a IS NULL THEN 'A' WHEN k.value_b IS NULL THEN 'B' ELSE 'none' END",
    } | {name: f"k.{quoted(name)}" for name in model.reference if name not in BASE}
    found = {name: _counted(duck, sql) for name, sql in parts.items()}
    if not any(found.values()):
        return
    RunDrift.objects.get_or_create(run=run)
    held = RunDrift.objects.select_for_update().get(run=run)
    held.mixes = added(held.mixes, {name: within(model.reference[name], counts) for name, counts in found.items()})
    held.save(update_fields=["mixes"])


def _counted(duck: duckdb.DuckDBPyConnection, sql: str) -> dict[str, int]:
    rows = duck.execute(
        f"SELECT CAST({sql} AS VARCHAR), sum(len(k.ids)) FROM asked k JOIN guess g ON g.place = k.place AND g.rank = 1 GROUP BY 1"
    ).fetchall()
    return {str(name): int(count) for name, count in rows}


def _model_of(run: Run) -> ModelVersion | None:
    if not run.model_version:
        return None
    return ModelVersion.objects.filter(reconciliation=run.reconciliation_id, version=int(run.model_version)).first()


@transaction.atomic
def settle_drift(run: Run) -> Training | None:
    """Say how far an ended run moved. A clear move is told once while it lasts, and asks for a training where there is something new
    to learn from. A second call does nothing."""
    held = RunDrift.objects.select_for_update().filter(run=run, figures__isnull=True).first()
    model = _model_of(run)
    if held is None or model is None:
        return None
    held.figures = {name: _figure(model.reference.get(name, {}), counts) for name, counts in held.mixes.items()}
    moved = [name for name, it in held.figures.items() if it["sample"] >= LEAST and it["index"] > it["limit"]]
    held.alarm = ", ".join(f"{name} {held.figures[name]['index']:.2f}" for name in moved)[:200]
    held.save(update_fields=["figures", "alarm"])
    return _tell(run, model, held.alarm)


def _figure(reference: dict[str, int], found: dict[str, int]) -> dict[str, float]:
    told, total = move(reference, found), sum(found.values())
    new = found.get(OTHER, 0) / total if total else 0.0
    return {"index": round(told.index, 4), "limit": round(told.limit, 4), "sample": told.sample, "new": round(new, 4)}


def _tell(run: Run, model: ModelVersion, alarm: str) -> Training | None:
    mark, both = f"{run.reconciliation} {model.version}", [run.reconciliation.a, run.reconciliation.b]
    if not alarm:
        clear_events(event=DRIFT, marks=[mark], now=timezone.now())
        return None
    sentence = f"What {model} meets has moved since it was trained (run {run.pk}: {alarm}). Nothing was changed; look at its page."
    told = raise_event(
        event=DRIFT, mark=mark, sentence=sentence, sources=both, reconciliation=run.reconciliation_id,
        link=f"/models/{model.pk}/", occurrence=f"run {run.pk}", now=timezone.now(),
    )  # fmt: skip
    if told is None:
        return None
    if not new_corrections(run.reconciliation):
        return None
    try:
        return ask_training(
            reconciliation=run.reconciliation, because=f"drift alarm in run {run.pk}: {alarm}", by="tieout"
        )
    except TrainingRefused:
        return None


def unsettled() -> list[Run]:
    """Runs that ended and were not told of."""
    waiting = RunDrift.objects.filter(figures__isnull=True, run__state=Run.State.DONE).select_related(
        "run__reconciliation"
    )
    return [it.run for it in waiting]


def drift_panel(model: ModelVersion) -> list[dict[str, Any]]:
    """The newest runs in which a model spoke: `run` (id), `date`, `alarm`, and `figures` by mix."""
    told = RunDrift.objects.filter(
        run__reconciliation=model.reconciliation_id, run__model_version=str(model.version), figures__isnull=False
    ).select_related("run")
    return [
        {"run": it.run_id, "date": it.run.business_date, "alarm": it.alarm, "figures": it.figures}
        for it in told.order_by("-run_id")[:SHOWN]
    ]
