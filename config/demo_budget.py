"""The demo's error budget: labels prove a certificate, which lets records of the second day pass; people audit some of them blind, and one
label asks for a second opinion."""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from django.contrib.auth.models import User

from attribution.certificates import certificate_of, told
from attribution.champions import promote
from attribution.guard import standing_of
from attribution.label_import import import_labels
from attribution.meter import next_certificate
from attribution.models import AuditAnswer, Draw, ModelVersion
from attribution.trainer import train_now
from config.demo_learning import RunDay
from config.gate_table import gate_lines
from reconciliation.models import Break, Reconciliation, Run
from review.audits import answer_audit, differences_of, waiting_for
from review.decisions import decide

NAME = FOLDER = "dividends"
DAYS = (dt.date(2026, 11, 20), dt.date(2026, 11, 23))
ERROR = "MANUAL_ENTRY_ERR"
RIGHT = 14  # audits that the analyst finds right
COMMENT = "Decided by the demo: the payment is not ours"


def keep_to_a_budget(folder: Path, run_day: RunDay, by: User) -> Iterator[str]:
    """Walk the two days; what was done before is only told. Gives lines to print."""
    dividends = Reconciliation.objects.get(code=NAME)
    yield f"Dividends, day 1, a budget and no certificate: {_passed(_run(dividends, 1, folder, run_day))}."
    model = ModelVersion.objects.filter(reconciliation=dividends).first() or _learned(dividends, folder, by)
    run = _run(dividends, 2, folder, run_day)
    found = certificate_of(run)
    yield (
        f"Day 2, model {model.version}: {_passed(run)}, by the certificate of {told(found)}."
        if found
        else "No certificate."
    )
    if not AuditAnswer.objects.filter(draw__run=run).exists():
        _audit(run, _causes(folder))
    if not Break.objects.filter(reconciliation=dividends, decisions__comment=COMMENT).exists():
        _contradict(run)
    yield gate_lines(standing_of(dividends))
    yield f"{next_certificate(dividends) or 'Every bound of the ladder is certified.'} See the pages Models, Gates, Blind audits and Second opinions."


def _run(dividends: Reconciliation, day: int, folder: Path, run_day: RunDay) -> Run:
    return run_day(dividends, DAYS[day - 1], folder / f"entitlements_day{day}.csv", folder / f"custodians_day{day}.csv")


def _passed(run: Run) -> str:
    found = Break.objects.filter(opened_run=run, kind=Break.Kind.DIFFERING)
    return f"{found.filter(closed_because='passed the gate').count()} of {found.count()} differing records pass"


def _learned(dividends: Reconciliation, folder: Path, by: User) -> ModelVersion:
    import_labels(file=folder / "labels.csv", by=by.username)
    return promote(model=train_now(reconciliation=dividends, by=by.username), by=by)


def _causes(folder: Path) -> Mapping[str, str]:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: row["reason"] for row in csv.DictReader(file)}


def _audit(run: Run, causes: Mapping[str, str]) -> None:
    """The analyst finds most passes right, one wrong, which the supervisor does not, one wrong, which both do, and cannot tell of one."""
    analyst, supervisor = (User.objects.get(username=name) for name in ("analyst", "supervisor"))
    draws = [it for it in waiting_for(analyst).filter(run=run).select_related("brk") if causes[it.brk.key] != ERROR]
    for draw in draws[:RIGHT]:
        _say(draw, analyst, causes[draw.brk.key])
    contested, wrong, dark = draws[RIGHT : RIGHT + 3]  # the definition has 20 audited at least
    for draw, second in ((contested, causes), (wrong, {})):
        _say(draw, analyst, ERROR, "this custodian pays in full")
        _say(draw, supervisor, second.get(draw.brk.key, ERROR))
    answer_audit(draw=dark, by=analyst, reasons=None, comment="the advice is missing")


def _say(draw: Draw, by: User, reason: str, comment: str = "") -> None:
    answer_audit(draw=draw, by=by, reasons=dict.fromkeys(_ids(draw), reason), comment=comment)


def _ids(draw: Draw) -> Sequence[int]:
    return [it.pk for it in differences_of(draw)]


def _contradict(run: Run) -> None:
    """The analyst calls an error what the model would have let through, had it been smaller."""
    held = Break.objects.filter(opened_run=run, state=Break.State.REVIEW, refusals__condition="max_auto_amount")
    brk = held.exclude(reason__in=("UNKNOWN", ERROR)).order_by("pk").first()
    if brk is not None:
        analyst = User.objects.get(username="analyst")
        decide(
            brk=brk,
            action="override",
            by=analyst,
            reason=ERROR,
            values={"amount": "0.01"},
            comment=COMMENT,
        )
