"""The audit log: one service writes an event in the transaction of what it tells of. Nobody changes or deletes one."""

import ipaddress
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model
from django.utils import timezone

from ingestion.models import AuditEvent

ACTIONS = {
    "decision.proposed": "Decision proposed",
    "decision.made": "Decision made",
    "decision.confirmed": "Decision confirmed",
    "decision.withdrawn": "Decision withdrawn",
    "decision.pending": "Left pending",
    "decision.undone": "Decision undone",
    "bulk.asked": "Bulk decision asked for",
    "bulk.undo_asked": "Undo of a bulk asked for",
    "bulk.ended": "Bulk decision ended",
    "check.waived": "Check waived",
    "audit.answered": "Blind audit answered",
    "repair.proposed": "Repair proposed",
    "repair.made": "Row repaired or dismissed",
    "repair.confirmed": "Repair confirmed",
    "repair.withdrawn": "Repair withdrawn",
    "rows.replayed": "Repaired rows replayed",
    "delivery.read_again": "Delivery read again",
    "mapping.accepted": "Mapping proposal accepted",
    "mapping.refused": "Mapping proposal refused",
    "setup.changed": "Set-up changed",
    "labels.imported": "Labels imported",
    "label.changed": "Label changed",
    "records.imported": "Reference records imported",
    "gate.reopened": "Gate opened",
    "model.trained": "Model trained",
    "model.promoted": "Model promoted",
    "model.rolled_back": "Model rolled back",
    "training.asked": "Training asked for",
    "run.started": "Run started",
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


@dataclass(frozen=True)
class Origin:
    """Where an act comes from: the door, the request's own id, the network of its address, and who is signed in."""

    door: str = "command"
    request: str = ""
    address: str = ""
    actor: Callable[[], AbstractBaseUser | AnonymousUser | None] = lambda: None


COMMAND = Origin()
SERVICE = "tieout"  # who acts where nobody is named
_ORIGIN: ContextVar[Origin] = ContextVar("origin", default=COMMAND)


@contextmanager
def coming_from(
    door: str, address: str = "", actor: Callable[[], AbstractBaseUser | AnonymousUser | None] = lambda: None
) -> Iterator[None]:
    """Let what is recorded inside bear this origin, with a request id of its own. `actor` is asked where an act names nobody."""
    token = _ORIGIN.set(Origin(door, secrets.token_hex(6), network_of(address), actor))
    try:
        yield
    finally:
        _ORIGIN.reset(token)


def through_door(door: str) -> None:
    """Name the door more exactly, once it is known: a token's, say."""
    _ORIGIN.set(replace(_ORIGIN.get(), door=door[:20]))


def network_of(address: str) -> str:
    """The network of an address, which tells where from and not who: 24 bits of IPv4, 48 of IPv6; empty for what is none."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return ""
    given = getattr(given, "ipv4_mapped", None) or given
    return str(ipaddress.ip_network(f"{given}/{24 if given.version == 4 else 48}", strict=False))


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
    if action not in ACTIONS:
        raise ValueError(f"There is no action {action!r} in the audit log.")
    origin = _ORIGIN.get()
    who = origin.actor() if by is None or by == "" else by
    is_user = isinstance(who, AbstractBaseUser)
    AuditEvent.objects.create(
        at=timezone.now(),
        actor_id=who.pk if is_user else None,  # type: ignore[union-attr]
        actor_name=(who.get_username() if is_user else str(who or SERVICE))[:150],  # type: ignore[union-attr]
        action=action,
        kind=of if isinstance(of, str) else str(of._meta.verbose_name),
        object_id="" if isinstance(of, str) else str(of.pk),
        name=(name or ("" if isinstance(of, str) else str(of)))[:200],
        run=run,
        reconciliation=reconciliation,
        before=before,
        after=after,
        door=origin.door,
        request=origin.request,
        address=origin.address,
    )
