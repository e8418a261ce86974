"""What the demo's analyst and auditor take along: two exports by the workers, and a signed journey."""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import QuerySet

from config import tasks
from reconciliation.models import Break, Run
from review.exporting import Wanted, ask_export
from review.journey_export import sign_journey
from review.models import Export

RECONCILIATION = "fx_trades"


def take_along(site: str) -> Iterator[str]:
    """Ask for the exports and sign a journey, once. Gives lines to print."""
    analyst, auditor = User.objects.get(username="analyst"), User.objects.get(username="auditor")
    if not Export.objects.filter(asked_by__in=(analyst, auditor)).exists():
        run = _runs().latest("id")
        for by, wanted in (
            (analyst, Wanted("queue", "xlsx", {"reconciliation": RECONCILIATION}, ["key", "kind", "reason", "amount", "opened_at"])),
            (auditor, Wanted("differences", "csv", {"run": str(run.pk)})),
        ):  # fmt: skip
            tasks.send(tasks.make_export.delay, ask_export(wanted=wanted, by=by).pk)
        decided = Break.objects.filter(reconciliation=run.reconciliation, decisions__isnull=False).first()
        if decided is not None:
            sign_journey(reconciliation=run.reconciliation, key=decided.key, by=auditor)
    yield f"Exports of the analyst and the auditor, one of them a signed journey: {site}/exports/"


def _runs() -> QuerySet[Run]:
    return Run.objects.filter(reconciliation__code=RECONCILIATION, state=Run.State.DONE)
