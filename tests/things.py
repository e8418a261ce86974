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
from review.bulk_answers.answering import answer_all
from review.bulk_answers.choosing import choose_rows as choose_quarantined
from review.comments import add_comment
from review.decisions import decide
from review.exporting import Wanted, ask_export
from review.models import Incident, SavedView
from tests.conftest import row

Ids = dict[str, int]


def make_things(reconcile: Callable[..., Run], proposer: User) -> Ids:
    """Ids of things that are there, by the word that stands before them in an address; `proposer` is a Supervisor."""
    left = [row("A", "10.00"), row("B", "10.00"), row("C", "10.25"), "broken"]
    run = reconcile(left, [row("A", "-10.00"), row("B", "9.00"), row("C", "10.00")])
    Reconciliation.objects.update(four_eyes=True)
    return (
        _of_set_up(run)
        | _of_run(run)
        | _of_quarantine(proposer)
        | _of_decision(proposer)
        | _of_models(run.reconciliation)
    )


def _of_set_up(run: Run) -> Ids:
    target = AlertTarget.objects.create(code="desk", kind="email", address="desk@example.org")
    told = raise_event(
        event="gate.closed", mark="1", sentence="It closed.", reconciliation=run.reconciliation_id, now=timezone.now()
    )
    assert told is not None
    return {
        "alerts": told.pk, "alerttarget": target.pk, "recordtype": RecordType.objects.get(code="party").pk,
        "history": run.reconciliation_id, "set-up-history": run.reconciliation_id,
    }  # fmt: skip


def _of_run(run: Run) -> Ids:
    incident = Incident.objects.create(
        reconciliation=run.reconciliation, run=run, last_run=run, field="amount", reason="SIGN_FLIP", gap="*", segment="*",
        breaks=20, usual=1, runs=3, found_at=timezone.now(),
    )  # fmt: skip
    return {
        "run": run.pk, "runs": run.pk, "deliveries": Delivery.objects.earliest("id").pk,
        "quarantine": QuarantinedRow.objects.get().pk, "incidents": incident.pk, "breaks": Break.objects.get(key="A").pk,
    }  # fmt: skip


def _of_quarantine(by: User) -> Ids:
    """A row that was dismissed together with no other."""
    chosen = choose_quarantined(action="dismiss", ids=[QuarantinedRow.objects.get().pk], by=by)
    return {"bulk-answers": answer_all(answer=chosen, by=by, comment="A rule of dashes.").pk}


def _of_decision(by: User) -> Ids:
    """A proposal, and what else is done with breaks and with lists of them."""
    decision = decide(brk=Break.objects.get(key="B"), action="approve", by=by)
    comment = add_comment(brk=decision.brk, by=by, text="The bank was asked.")
    bulk = start_bulk(preview=choose_rows(picked=[Picked(decision.brk_id)], by=by), action="approve", by=by)
    view = SavedView.objects.create(owner=by, name="Mine", saved_at=timezone.now())
    return {
        "decisions": decision.pk, "break": decision.brk_id, "comments": comment.pk, "bulk": bulk.pk, "bulk-decisions": bulk.pk,
        "exports": ask_export(wanted=Wanted("queue", "csv"), by=by).pk, "views": view.pk, "queue-views": view.pk,
    }  # fmt: skip


def _of_models(reconciliation: Reconciliation) -> Ids:
    now = timezone.now()
    model = ModelVersion.objects.create(
        reconciliation=reconciliation, version=1, labels=1, artifact_sha256="0", trained_at=now
    )
    training = Training.objects.create(
        reconciliation=reconciliation, asked_at=now, corrections_to=0, state="done", model=model
    )
    return {
        "models": model.pk, "trainings": training.pk, "blind-audits": Draw.objects.get(brk__key="C").pk,
        "second-opinions": waiting_label(Difference.objects.get(brk__key="A")).pk,
    }  # fmt: skip


def waiting_label(difference: Difference) -> SecondOpinion:
    """A label that waits for a second opinion."""
    now = timezone.now()
    label = Correction.objects.create(
        difference=difference, reason_id="MANUAL_ENTRY_ERR", confirmed_by="import", confirmed_at=now, active=False,
        waiting_since=now,
    )  # fmt: skip
    return SecondOpinion.objects.create(correction=label, said_by="import", asked_at=now, because="model:1 said else")
