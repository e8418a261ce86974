"""One of everything that has an address of its own, for what walks over all addresses."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.utils import timezone

from attribution.models import Correction, Draw, ModelVersion, SecondOpinion, Training
from ingestion.alerts import raise_event
from ingestion.models import AlertTarget, Delivery, QuarantinedRow, RecordType
from reconciliation.models import Break, Difference, Reconciliation, Run
from review.bulk.bulks import start_bulk
from review.bulk.selecting import Picked, choose_rows
from review.comments import add_comment
from review.decisions import decide
from review.exporting import Wanted, ask_export
from review.models import Incident, SavedView
from tests.conftest import row


def make_things(reconcile: Callable[..., Run], proposer: User) -> dict[str, int]:
    """Ids of things that are there, by the word that stands before them in an address; `proposer` is a Supervisor."""
    left = [row("A", "10.00"), row("B", "10.00"), row("C", "10.25"), "broken"]
    reconcile(left, [row("A", "-10.00"), row("B", "9.00"), row("C", "10.00")])
    Reconciliation.objects.update(four_eyes=True)
    decision = decide(brk=Break.objects.get(key="B"), action="approve", by=proposer)
    model = ModelVersion.objects.create(
        reconciliation=Reconciliation.objects.get(), version=1, labels=1, artifact_sha256="0", trained_at=timezone.now()
    )
    training = Training.objects.create(
        reconciliation=model.reconciliation, asked_at=timezone.now(), corrections_to=0, state="done", model=model
    )
    comment = add_comment(brk=decision.brk, by=proposer, text="The bank was asked.")
    chosen = choose_rows(picked=[Picked(decision.brk_id)], by=proposer)
    bulk = start_bulk(preview=chosen, action="approve", by=proposer)
    run = Run.objects.get()
    incident = Incident.objects.create(
        reconciliation=run.reconciliation, run=run, last_run=run, field="amount", reason="SIGN_FLIP", gap="*", segment="*",
        breaks=20, usual=1, runs=3, found_at=timezone.now(),
    )  # fmt: skip
    export = ask_export(wanted=Wanted("queue", "csv"), by=proposer)
    view = SavedView.objects.create(owner=proposer, name="Mine", saved_at=timezone.now())
    opinion = waiting_label(Difference.objects.get(brk__key="A"))
    told = raise_event(
        event="gate.closed", mark="1", sentence="It closed.", reconciliation=run.reconciliation_id, now=timezone.now()
    )
    assert told is not None
    return {
        "alerts": told.pk,
        "second-opinions": opinion.pk,
        "alerttarget": AlertTarget.objects.create(code="desk", kind="email", address="desk@example.org").pk,
        "models": model.pk,
        "trainings": training.pk,
        "bulk": bulk.pk,
        "incidents": incident.pk,
        "bulk-decisions": bulk.pk,
        "exports": export.pk,
        "views": view.pk,
        "queue-views": view.pk,
        "blind-audits": Draw.objects.get(brk__key="C").pk,
        "runs": run.pk,
        "run": run.pk,
        "deliveries": Delivery.objects.earliest("id").pk,
        "breaks": Break.objects.get(key="A").pk,
        "break": decision.brk_id,
        "comments": comment.pk,
        "decisions": decision.pk,
        "quarantine": QuarantinedRow.objects.get().pk,
        "history": run.reconciliation_id,
        "set-up-history": run.reconciliation_id,
        "recordtype": RecordType.objects.get(code="party").pk,
    }


def waiting_label(difference: Difference) -> SecondOpinion:
    """A label that waits for a second opinion."""
    now = timezone.now()
    label = Correction.objects.create(
        difference=difference, reason_id="MANUAL_ENTRY_ERR", confirmed_by="import", confirmed_at=now, active=False,
        waiting_since=now,
    )  # fmt: skip
    return SecondOpinion.objects.create(correction=label, said_by="import", asked_at=now, because="model:1 said else")
