"""What follows from a final decision: the store, the break, its rows, reasons and labels."""

from django.db.models import QuerySet

from attribution.corrections import Confirmed, record_corrections
from attribution.models import Draw
from ingestion.prepared import PK, prepared
from ingestion.shape import Shape
from reconciliation.built_on import built_on
from reconciliation.custody import seal_breaks
from reconciliation.holds import DECIDED, end_hold
from reconciliation.inputs import mapped_names
from reconciliation.models import Break, Difference, Member, Run
from reconciliation.store.single import Storing, store_record
from reconciliation.store.tables import StoreRefusal
from reconciliation.store.taking_back import Undone, passed_version, take_back_pass
from review.decisions.checks import rejects_a_pass
from review.decisions.refusals import DecisionRefused
from review.models import Decision

NOT_OURS = "So a rejection does not take it out. Override what is wrong, or approve it as it is."
OLDER = "The store holds this record with a later business date. Reject this break."


def carry_out(decision: Decision) -> None:
    """The outcome: the store or not, the rows' states, the reasons and corrections."""
    brk = decision.brk
    end_hold(brk, DECIDED, decision.confirmed_by_id)
    if decision.record is not None:
        _store(decision)
    elif rejects_a_pass(brk, decision.action):
        _take_out(decision)
    _settle_rows(decision)
    brk.state = Break.State.REJECTED if decision.record is None else Break.State.APPROVED
    brk.closed_at, brk.closed_because = decision.confirmed_at, f"decision {decision.pk}"
    brk.reason = decision.reason or brk.reason
    brk.save(update_fields=["state", "closed_at", "closed_because", "reason"])
    who = decision.confirmed_by.get_username() if decision.confirmed_by else ""
    differences = prepared("differences of a break", _differences, {PK: brk.pk})
    record_corrections([Confirmed(it, decision.reason, decision.pk, brk.last_run) for it in differences], who)
    seal_breaks([brk.pk])


def _differences() -> QuerySet[Difference]:
    return Difference.objects.filter(brk=PK, current=True).order_by("pk")


def _store(decision: Decision) -> None:
    brk, run = decision.brk, decision.run
    record_type = brk.reconciliation.record_type
    try:
        fate = store_record(
            record_type=record_type,
            key=brk.key,
            bucket=brk.bucket,
            record=decision.record or {},
            mapped=_mapped(run, record_type.shape()),
            storing=Storing(run.pk, run.business_date, decision.pk),
        )
    except StoreRefusal as refusal:
        raise DecisionRefused(str(refusal)) from None
    if fate == "older":
        raise DecisionRefused(OLDER)


def _take_out(decision: Decision) -> None:
    """Take the record out of the store that passed wrongly; what stood before it stands again. Where others stored it since, or the
    pass found it there already, it is not this break's to take out."""
    brk = decision.brk
    passed = brk.draws.filter(purpose=Draw.Purpose.AUDIT, answers__counts=True).latest("pk")
    again = set(brk.decisions.filter(record__isnull=True, undone_by__isnull=False).values_list("pk", flat=True))
    try:
        version = passed_version(brk, passed.run_id, again)
    except StoreRefusal as refusal:
        raise DecisionRefused(f"{refusal} {NOT_OURS}") from None
    if version is None:
        return
    if sentence := built_on(brk, version.since):
        raise DecisionRefused(f"{sentence} {NOT_OURS}")
    take_back_pass(version, Undone(decision.pk, decision.run_id, brk, version.since, None))


def _mapped(run: Run, shape: Shape) -> frozenset[str]:
    return mapped_names(run, "a", shape) | mapped_names(run, "b", shape)


def _settle_rows(decision: Decision) -> None:
    """Stored or rejected; of a duplicate the named row is stored and the others stay duplicates."""
    if decision.record is None or decision.chosen_id is None:
        return  # the rows follow their break
    rows = decision.brk.members.filter(current=True)
    rows.exclude(pk=decision.chosen_id).update(state=Member.State.DUPLICATE)
    rows.filter(pk=decision.chosen_id).update(state=Member.State.WITH_BREAK)
