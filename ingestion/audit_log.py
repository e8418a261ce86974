"""The audit log: one service writes an event in the transaction of what it tells of. Nobody changes or deletes one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from ingestion.models import AuditEvent
from ingestion.origin import origin_now, who_acts

ACTIONS = {
    "decision.proposed": "Decision proposed",
    "decision.made": "Decision made",
    "decision.confirmed": "Decision confirmed",
    "decision.withdrawn": "Decision withdrawn",
    "decision.voided": "Proposal void",
    "decision.pending": "Left pending",
    "decision.undone": "Decision undone",
    "break.assigned": "Break assigned",
    "break.held": "Break put on hold",
    "break.released": "Break taken off hold",
    "bulk.asked": "Bulk decision asked for",
    "bulk.undo_asked": "Undo of a bulk asked for",
    "bulk.ended": "Bulk decision ended",
    "bulk.stopped": "Bulk decision stopped",
    "check.waived": "Check waived",
    "comment.written": "Comment written",
    "comment.withdrawn": "Comment withdrawn",
    "audit.answered": "Blind audit answered",
    "repair.proposed": "Repair proposed",
    "repair.made": "Row repaired or dismissed",
    "repair.confirmed": "Repair confirmed",
    "repair.withdrawn": "Repair withdrawn",
    "rows.answered": "Many quarantined rows answered",
    "rows.replayed": "Repaired rows replayed",
    "delivery.read_again": "Delivery read again",
    "mapping.accepted": "Mapping proposal accepted",
    "mapping.refused": "Mapping proposal refused",
    "setup.changed": "Set-up changed",
    "target.tested": "Test alert sent",
    "labels.imported": "Labels imported",
    "label.changed": "Label changed",
    "opinion.given": "Second opinion given",
    "records.imported": "Reference records imported",
    "gate.reopened": "Gate opened",
    "model.trained": "Model trained",
    "model.promoted": "Model promoted",
    "model.rolled_back": "Model rolled back",
    "training.asked": "Training asked for",
    "run.started": "Run started",
    "run.cancelled": "Run cancelled",
    "view.saved": "View saved",
    "view.changed": "View changed",
    "view.deleted": "View deleted",
    "export.asked": "Export asked for",
    "export.made": "Exported",
    "export.downloaded": "Export downloaded",
    "token.made": "Token made",
    "token.revoked": "Token revoked",
    "person.changed": "User or rights changed",
    "password.changed": "Password changed",
    "session.signed_in": "Signed in",
    "session.refused": "Sign-in refused",
    "session.locked": "Sign-in locked",
    "session.unlocked": "Sign-in unlocked",
    "session.ended": "Session ended by its limit",
    "session.signed_out": "Signed out",
}


def record_event(
    action: str,
    *,
    of: Model | str,
    by: AbstractBaseUser | AnonymousUser | str | None = None,
    name: str = "",
    run: int | None = None,
    reconciliation: int | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write one event; call it in the transaction that does what it tells of.

    `of` is the thing, or the name of a kind that has no row; without `by` it was who is signed in, else a service; `before` and
    `after` are what changed. A bulk act is one event with counts.
    """
    told = _told(action, of, by, name, run, reconciliation)
    AuditEvent.objects.create(**told, before=before, after=after)


@dataclass(frozen=True)
class Told:
    """What one of many events tells: of what, under which name, for whose eyes, and what was done."""

    of: Model
    name: str
    reconciliation: int | None
    after: Mapping[str, object]


def record_events(action: str, told: Iterable[Told], *, by: AbstractBaseUser) -> None:
    """Write an event for each of many things of which the same was done, in one statement."""
    rows = [(_told(action, it.of, by, it.name, None, it.reconciliation), it.after) for it in told]
    if not rows:
        return
    columns = ", ".join([*rows[0][0], "after"])
    with connection.cursor() as cursor, cursor.copy(f"COPY {AuditEvent._meta.db_table} ({columns}) FROM STDIN") as copy:
        for values, after in rows:
            copy.write_row((*values.values(), json.dumps(after, cls=DjangoJSONEncoder)))


def _told(
    action: str,
    of: Model | str,
    by: AbstractBaseUser | AnonymousUser | str | None,
    name: str,
    run: int | None,
    reconciliation: int | None,
) -> dict[str, Any]:
    """The columns of an event, but for what was changed."""
    if action not in ACTIONS:
        raise ValueError(f"There is no action {action!r} in the audit log.")
    origin, who = origin_now(), who_acts(by)
    user = who if isinstance(who, AbstractBaseUser) else None
    return {
        "at": timezone.now(),
        "actor_id": user.pk if user else None,
        "actor_name": (user.get_username() if user else str(who))[:150],
        "action": action,
        "kind": of if isinstance(of, str) else str(of._meta.verbose_name),
        "object_id": "" if isinstance(of, str) else str(of.pk),
        "name": (name or ("" if isinstance(of, str) else str(of)))[:200],
        "run": run,
        "reconciliation": reconciliation,
        "door": origin.door,
        "request": origin.request,
        "address": origin.address,
    }
