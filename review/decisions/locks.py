"""The order in which whoever decides, undoes or runs takes locks, so that two of them wait but never for each other: a record's place
in the store, the break, its decision, the identities that the record names (type by type, sorted), the types that it refers to."""

from typing import TypeVar

from django.db.models import QuerySet

from ingestion.models import RecordType
from ingestion.prepared import PK, prepared
from reconciliation.inputs import keep_inputs
from reconciliation.models import Break
from reconciliation.store.load import PlacesTaken, lock_places
from review.decisions.refusals import StoreBusy
from review.models import Decision

T = TypeVar("T")
PATIENCE = 3  # seconds; who waits keeps a thread of the web from everybody else
BUSY = "A run is storing records of {} just now, and this one has to wait for it. Nothing was changed; try again when the run has ended."


def lock_break(pk: int, *, stores: bool) -> Break:
    """The break as it stands, after whoever works on it has ended; `stores`: its record may be stored, so its place is locked first
    (StoreBusy where a run keeps it), and what its record is made of comes with it. Locked without its run: joined, a break that a
    run took up meanwhile would not be found."""
    before = _lock_place(pk) if stores else None
    _one(
        prepared("lock of a break", lambda: Break.objects.select_for_update().filter(pk=PK).values_list("pk"), {PK: pk})
    )
    if before is None:
        related = "reconciliation__a__record_type", "last_run"
        return _one(prepared("locked break", lambda: Break.objects.select_related(*related).filter(pk=PK), {PK: pk}))
    brk = _one(prepared("locked break that is stored", _whole, {PK: pk}))
    brk.last_run.reconciliation = brk.reconciliation
    keep_inputs(brk.last_run)
    _keep_fields(brk.reconciliation.record_type, before)
    return brk


def _one(found: list[T]) -> T:
    """What was found; Break.DoesNotExist where nothing was."""
    if not found:
        raise Break.DoesNotExist
    return found[0]


def _whole() -> QuerySet[Break]:
    related = "reconciliation__a__record_type", "reconciliation__b", "last_run__rule_set"
    return Break.objects.select_related(*related).filter(pk=PK)


def _lock_place(pk: int) -> RecordType:
    """Lock the place of a break's record; gives its type as it was known before. StoreBusy where a run keeps it."""
    related = "reconciliation__a__record_type"
    brk = _one(prepared("place of a break", lambda: Break.objects.select_related(related).filter(pk=PK), {PK: pk}))
    record_type = brk.reconciliation.record_type
    record_type.keep_fields()
    try:
        lock_places(record_type, (brk.bucket, brk.bucket), seconds=PATIENCE)
    except PlacesTaken:
        raise StoreBusy(BUSY.format(record_type.code)) from None
    return record_type


def _keep_fields(record_type: RecordType, before: RecordType) -> None:
    """Let a type answer with the fields that were read before its place was locked, unless it changed meanwhile."""
    if (record_type.generation, record_type.schema_version) == (before.generation, before.schema_version):
        record_type.kept_fields = before.kept_fields
    else:
        record_type.keep_fields()


def lock_decision(decision: Decision, *, stores: bool) -> tuple[Break, Decision]:
    """The break of a decision and the decision as they stand, both locked."""
    brk = lock_break(decision.brk_id, stores=stores)
    held = Decision.objects.select_for_update(of=["self"])
    held = held.select_related("proposed_by", "confirmed_by", "undone_by")
    decision = held.get(pk=decision.pk)
    decision.brk = brk
    if decision.run_id == brk.last_run_id:
        decision.run = brk.last_run
    return brk, decision
