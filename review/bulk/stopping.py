"""Stopping a bulk decision that is under way: what has its result keeps it, the rest is not decided."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ingestion import custody
from ingestion.audit_log import record_event
from review.bulk.bulks import BulkConflict, BulkRefused, only_one
from review.models import BulkDecision, BulkRow
from review.rights import CONFIRMS


def may_stop(bulk: BulkDecision, by: User) -> bool:
    """Whether a user may stop it: who asked for it, Supervisors and Managers."""
    return bulk.is_under_way and (bulk.asked_by_id == by.pk or by.has_perm(CONFIRMS))


@transaction.atomic
def stop_bulk(*, bulk: BulkDecision, by: User) -> BulkDecision:
    """Refuse the rows that have no result yet, after the chunk that a worker has in hand; the worker then ends it.
    BulkRefused: not this user's to stop. BulkConflict: it has ended already."""
    if not bulk.is_under_way:
        raise BulkConflict(ENDED)
    if not may_stop(bulk, by):
        raise BulkRefused(f"Only {bulk.asked_by}, a Supervisor or a Manager stops it.")
    # rows before the bulk, as the worker locks them
    waiting = BulkRow.objects.filter(bulk=bulk.pk, state=BulkRow.State.WAITING).order_by("position")
    ids = list(waiting.select_for_update().values_list("pk", flat=True))
    if not ids:
        raise BulkConflict(ENDED)
    said = f"Stopped by {by.get_username()} before its turn."
    BulkRow.objects.filter(pk__in=ids).update(state=BulkRow.State.REFUSED, said=said, settled_at=timezone.now())
    BulkDecision.objects.filter(pk=bulk.pk).update(refused=F("refused") + len(ids))
    custody.seal_ids(BulkRow._meta.db_table, ids)
    custody.seal([bulk])
    record_event("bulk.stopped", of=bulk, by=by, reconciliation=only_one(bulk), after={"not decided": len(ids)})
    bulk.refresh_from_db()
    return bulk


ENDED = "It has ended already; there is nothing to stop."
