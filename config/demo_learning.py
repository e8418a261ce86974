"""The demo's model: labels of a first day are imported, a model is trained and promoted, speaks on the second day, and is rolled back; on the fourth a bank errs."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from attribution.champions import promote, roll_back
from attribution.label_import import import_labels
from attribution.models import ModelVersion
from attribution.registry import champion_of
from attribution.trainer import train_now
from config.model_table import model_table
from reconciliation.models import Break, Reconciliation, Run
from review.incidents.finding import find_incidents
from review.incidents.standing import signature_text
from review.models import Incident

NAME = "invoices"
FOLDER = "learned"
DAYS = (dt.date(2026, 11, 20), dt.date(2026, 11, 23), dt.date(2026, 11, 24), dt.date(2026, 11, 25))
RunDay = Callable[[Reconciliation, dt.date, Path, Path], Run]


def learn(folder: Path, run_day: RunDay, by: User) -> Iterator[str]:
    """Walk the days; `run_day` delivers two files and runs. Gives lines to print; what was done before is only told."""
    invoices = Reconciliation.objects.get(code=NAME)

    def passed(day: int) -> str:
        run = run_day(invoices, DAYS[day - 1], folder / f"invoices_day{day}.csv", folder / f"bank_day{day}.csv")
        found = Break.objects.filter(opened_run=run, kind=Break.Kind.DIFFERING)
        return f"{found.filter(state=Break.State.PASSED).count()} of {found.count()} differing records pass"

    yield f"Invoices, day 1, the provers alone: {passed(1)}."
    model = ModelVersion.objects.filter(reconciliation=invoices).first() or _learned(invoices, folder, by)
    yield model_table(model)
    yield f"Day 2, model {model.version} promoted: {passed(2)}."
    if champion_of(invoices):
        roll_back(reconciliation=invoices, by=by)
    yield f"Day 3, rolled back: {passed(3)}."
    yield f"Day 4, one bank turns every sign: {passed(4)}."
    find_incidents(Run.objects.filter(reconciliation=invoices).latest("id"))  # waits for the worker that looks for them
    for incident in Incident.objects.filter(reconciliation=invoices):
        yield f"Incident {incident.pk}: {incident.breaks} breaks of {incident.reason}, {signature_text(incident)}, as one item: {settings.PUBLIC_URL}/incidents/{incident.pk}/"


def _learned(invoices: Reconciliation, folder: Path, by: User) -> ModelVersion:
    import_labels(file=folder / "labels.csv", by=by.username)
    return promote(model=train_now(reconciliation=invoices, by=by.username), by=by)
