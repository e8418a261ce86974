"""Where an act comes from: the door, the request, the network, and who is signed in."""

import ipaddress
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.contrib.auth.base_user import AbstractBaseUser

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


@dataclass(frozen=True)
class Origin:
    """Where an act comes from: the door, the request's own id, the network of its address, and who is signed in."""

    door: str = "command"
    request: str = ""
    address: str = ""
    actor: "Callable[[], AbstractBaseUser | AnonymousUser | None]" = lambda: None


COMMAND = Origin()
SERVICE = "tieout"  # who acts where nobody is named
_ORIGIN: ContextVar[Origin] = ContextVar("origin", default=COMMAND)


@contextmanager
def coming_from(
    door: str, address: str = "", actor: "Callable[[], AbstractBaseUser | AnonymousUser | None]" = lambda: None
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


def origin_now() -> Origin:
    """Of what is done now."""
    return _ORIGIN.get()


def who_acts(by: "AbstractBaseUser | AnonymousUser | str | None") -> AbstractBaseUser | str:
    """Who is named, else who is signed in, else a service."""
    who = _ORIGIN.get().actor() if by is None or by == "" else by
    return who if isinstance(who, AbstractBaseUser) else str(who or SERVICE)


def named(by: str = "") -> tuple[str, str, str]:
    """The name, the door and the request."""
    who, origin = who_acts(by), _ORIGIN.get()
    return (who.get_username() if isinstance(who, AbstractBaseUser) else who), origin.door, origin.request
