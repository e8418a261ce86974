"""The order in which whoever decides, undoes or runs takes locks, so that two of them wait but never for each other: a record's place
in the store, the break, its decision, the identities that the record names, the types that it refers to."""

from reconciliation.models import Break
from reconciliation.store.load import hold_places
from review.models import Decision


def hold_break(pk: int, *, stores: bool) -> Break:
    """The break as it stands, after whoever works on it has ended; `stores`: its record may be stored, so its place is held first.
    Locked without its run: joined, a break that a run took up meanwhile would not be found."""
    if stores:
        brk = Break.objects.select_related("reconciliation__a__record_type").get(pk=pk)
        hold_places(brk.reconciliation.record_type, (brk.bucket, brk.bucket))
    Break.objects.select_for_update().get(pk=pk)
    return Break.objects.select_related("reconciliation__a__record_type", "last_run").get(pk=pk)


def hold_decision(decision: Decision, *, stores: bool) -> tuple[Break, Decision]:
    """The break of a decision and the decision as they stand, both locked."""
    brk = hold_break(decision.brk_id, stores=stores)
    held = Decision.objects.select_for_update(of=["self"])
    held = held.select_related("proposed_by", "confirmed_by", "undone_by")
    decision = held.get(pk=decision.pk)
    decision.brk = brk
    return brk, decision
