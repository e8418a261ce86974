"""The dashboard's figures of a reconciliation: computed set-based after each run and then again and again, kept in PostgreSQL and
in the cache, so that no page view reads rows or breaks.

What takes long is computed less often: never for more than a twentieth of the time.
"""

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Sum
from django.db.models.fields.json import KT
from django.utils import timezone

from attribution.guard import standing_of
from attribution.models import Certificate, RunDrift
from attribution.registry import champion_of
from ingestion.alerts import clear_events, raise_event
from ingestion.loose_cache import find_loosely, keep_loosely
from reconciliation.conservation import conservation
from reconciliation.models import Reconciliation, Run
from reconciliation.tally import tallied_shown
from review.due import minute_of
from review.models import Figures

RUNS = 30
LEAST_SECONDS, SHARE = 30, 20
KEPT_SECONDS = 7 * 24 * 3600
OVERDUE = "break.overdue"
Document = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """Figures with where they were read, and when they were computed."""

    document: Document
    computed_at: dt.datetime
    source: str

    @property
    def is_old(self) -> bool:
        """Whether nothing computed them for longer than there is a reason for."""
        seconds = max(LEAST_SECONDS, SHARE * float(self.document.get("seconds", 0))) * 4
        return timezone.now() - self.computed_at > dt.timedelta(seconds=seconds)


def refresh_figures(reconciliation: Reconciliation) -> Figures | None:
    """Compute a reconciliation's figures and keep them; None before its first run has ended."""
    began, at = time.monotonic(), timezone.now()
    run = Run.objects.filter(reconciliation=reconciliation, state=Run.State.DONE).order_by("-id").first()
    if run is None:
        return None
    document: Document = {
        "run": {"id": run.pk, "date": run.business_date.isoformat()},
        **_flow(run),
        "rates": _rates(reconciliation),
        "model": _model(reconciliation, run),
        "overdue": _overdue(reconciliation, at),
    }
    document["seconds"] = seconds = time.monotonic() - began
    held, _ = Figures.objects.update_or_create(
        reconciliation=reconciliation, defaults={"document": document, "computed_at": at, "seconds": seconds}
    )
    _publish(held)
    return held


def refresh_due(now: dt.datetime) -> int:
    """Compute anew what is due. Gives how many."""
    ready = Reconciliation.objects.filter(runs__state=Run.State.DONE).distinct().order_by("pk")
    held = {it.reconciliation_id: it for it in Figures.objects.defer("document")}
    due = [it for it in ready.select_related("a__record_type", "b") if it.pk not in held or _is_due(held[it.pk], now)]
    for reconciliation in due:
        refresh_figures(reconciliation)
    return len(due)


def _is_due(held: Figures, now: dt.datetime) -> bool:
    return now - held.computed_at >= dt.timedelta(seconds=max(LEAST_SECONDS - 5, SHARE * held.seconds))


def figures_of(reconciliation: Reconciliation) -> Told | None:
    """A reconciliation's figures from the cache, else from PostgreSQL; None where none were computed yet."""
    told = find_loosely(_key(reconciliation.pk))
    if told is not None:
        return Told(told["document"], dt.datetime.fromisoformat(told["computed_at"]), "redis")
    held = Figures.objects.filter(reconciliation=reconciliation).first()
    if held is None:
        return None
    _publish(held)
    return Told(held.document, held.computed_at, "sql")


def _publish(held: Figures) -> None:
    value = {"document": held.document, "computed_at": held.computed_at.isoformat()}
    keep_loosely(_key(held.reconciliation_id), value, KEPT_SECONDS)


def _key(reconciliation: int) -> str:
    return f"figures:{reconciliation}"


def _flow(run: Run) -> Document:
    """The rows of a run by side, outcome and state, and whether they add up."""
    told = conservation(run)
    sums = {"a": told.a, "b": told.b, "received": told.received, "unaccounted": told.unaccounted}
    return {"streams": [[it.side, it.outcome, it.state, it.rows] for it in told.streams], "states": told.states, **sums}


def _rates(reconciliation: Reconciliation) -> list[Document]:
    """Of the last runs, the oldest first, the share that passed without a person, and of the differences the share that nothing
    explained."""
    done = Run.objects.filter(reconciliation=reconciliation, state=Run.State.DONE).order_by("-id")
    columns = {
        "outcome": F("report__outcome"),
        "total": KT("report__differences__total"),
        "unknown": KT("report__differences__by_reason__UNKNOWN"),
    }
    runs: list[Any] = list(done.values("id", "business_date", "model_version", **columns)[:RUNS])
    return [_rate(run) for run in reversed(runs)]


def _rate(run: Document) -> Document:
    records, differences = sum(run["outcome"].values()), int(run["total"] or 0)
    return {
        "run": run["id"],
        "date": run["business_date"].isoformat(),
        "model": run["model_version"],
        "stp": run["outcome"]["stored"] / records if records else None,
        "unknown": int(run["unknown"] or 0) / differences if differences else None,
    }


def _model(reconciliation: Reconciliation, run: Run) -> Document:
    """Who speaks, where the gate stands, until when its certificate holds, and how far the last run moved."""
    champion, gate = champion_of(reconciliation), standing_of(reconciliation)
    drift = RunDrift.objects.filter(run=run, figures__isnull=False).first()
    certificate = None
    if champion is not None and gate.has_budget and gate.bound is not None:
        certificate = Certificate.objects.filter(model_version=champion, bound=gate.bound).order_by("-made_at").first()
    return {
        "champion": {"id": champion.pk, "version": champion.version, "labels": champion.labels} if champion else None,
        "gate": {"state": gate.state, "bound": _share(gate.bound), "promised": _share(gate.promised),
                 "has_budget": gate.has_budget, "answers": gate.answers, "wrong": gate.wrong, "waiting": gate.waiting,
                 "evidence": gate.evidence},
        "certificate": {"until": certificate.valid_until.isoformat(), "sample": certificate.sample_size,
                        "threshold": float(certificate.threshold)} if certificate else None,
        "drift": _drift(drift) if drift else None,
    }  # fmt: skip


def _drift(drift: RunDrift) -> Document:
    """The largest move of a run, against its limit."""
    figures = drift.figures or {}
    name = max(figures, key=lambda it: figures[it]["index"] - figures[it]["limit"], default="")
    most = figures.get(name) or {"index": 0.0, "limit": 0.0}
    return {"alarm": drift.alarm, "of": name, "index": most["index"], "limit": most["limit"]}


def _overdue(reconciliation: Reconciliation, now: dt.datetime) -> int:
    """How many breaks wait longer than agreed, as the queue counts them; told once while there is any."""
    over = tallied_shown().filter(reconciliation_id=reconciliation.pk, due__lt=minute_of(now))
    late = over.aggregate(Sum("breaks", default=0))["breaks__sum"]
    if not late:
        clear_events(event=OVERDUE, marks=[reconciliation.code], now=now)
        return 0
    raise_event(
        event=OVERDUE, mark=reconciliation.code, reconciliation=reconciliation.pk,
        sources=[reconciliation.a, reconciliation.b], link=f"/queue/?reconciliation={reconciliation.code}&due=overdue",
        sentence=f"Breaks of {reconciliation} wait longer than agreed; {late:,} did when this was found.", now=now,
    )  # fmt: skip
    return late


def _share(value: Any) -> float | None:  # noqa: ANN401 - a Decimal or None
    return None if value is None else float(value)
