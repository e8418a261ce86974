"""Where a request comes from, behind as many proxies as the settings say."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of who asks: the connection's, or what the nearest of PROXY_HOPS trusted proxies saw. Entries that were there
    before are the client's own words."""
    connected = request.META.get("REMOTE_ADDR", "")
    if not settings.PROXY_HOPS:
        return connected
    seen = [it.strip() for it in request.headers.get("X-Forwarded-For", "").split(",") if it.strip()]
    return seen[-settings.PROXY_HOPS] if len(seen) >= settings.PROXY_HOPS else connected


def attempt_address(request: HttpRequest) -> str | None:
    """As `client_address`, where nothing that is no address counts as one."""
    try:
        return str(ipaddress.ip_address(client_address(request)))
    except ValueError:
        return None
