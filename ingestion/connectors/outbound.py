"""Calls to other hosts: only to those that the operator named, checked after resolution, redirects included."""

import ipaddress
import socket
from collections.abc import Iterator

import httpx2 as httpx
from django.conf import settings

from ingestion.connectors.offer import PullError

CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
MOST_REDIRECTS = 3


def client() -> httpx.Client:
    """A client that checks every address it calls."""
    return httpx.Client(
        transport=CheckedTransport(),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=True,
        max_redirects=MOST_REDIRECTS,
        trust_env=False,
    )


class CheckedTransport(httpx.HTTPTransport):
    """Connects to the address that was checked, so that a name cannot change its mind in between."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """PullError for a host that is not named, or whose address is of an inner network."""
        host = request.url.host
        address = checked_address(host)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return super().handle_request(request)


def checked_address(host: str) -> str:
    """One address of a host that sources may call. Inner addresses must be named as such."""
    if host not in settings.OUTBOUND_HOSTS:
        raise PullError(f"The host {host} is not one that sources may call (setting OUTBOUND_HOSTS).")
    found = list(_resolved(host))
    inner = [it for it in found if _is_inner(it) and it not in settings.OUTBOUND_HOSTS]
    if inner:
        raise PullError(
            f"The host {host} leads to {inner[0]}, an inner address. If that is meant, name the address in OUTBOUND_HOSTS, too."
        )
    return found[0]


def _is_inner(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return not found.is_global or found.is_multicast


def _resolved(host: str) -> Iterator[str]:
    try:
        for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
            yield str(address[0])
    except OSError:
        raise PullError(f"The host {host} cannot be found. Check the address of the source.") from None
