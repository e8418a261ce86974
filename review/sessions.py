"""Sessions end: after a time without anything that a person did, and after a working day whatever was done."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from ingestion.audit_log import record_event

BEGAN, SEEN = "began", "seen"
SEEN_EVERY = 60  # seconds; a write at each click would tell no more


def limited(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Sign out who was idle too long, or signed in too long ago, and say why on the sign-in page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and (sentence := _over(request)):
            record_event("session.ended", of="session", by=request.user, after={"because": sentence})
            logout(request)
            messages.warning(request, f"{sentence} Sign in again.", extra_tags="warn")
        return get_response(request)

    return middleware


def begin(request: HttpRequest) -> None:
    """Note when a session begins; call it as somebody signs in."""
    request.session[BEGAN] = request.session[SEEN] = int(time.time())


def _over(request: HttpRequest) -> str:
    """Why the session is over; empty while it goes on, which is noted."""
    now, session = int(time.time()), request.session
    began, seen = session.setdefault(BEGAN, now), session.setdefault(SEEN, now)
    if now - began > settings.SESSION_COOKIE_AGE:
        return f"You signed in more than {_told(settings.SESSION_COOKIE_AGE)} ago."
    if now - seen > settings.SESSION_IDLE:
        return f"Nothing was done for {_told(settings.SESSION_IDLE)}."
    if now - seen >= SEEN_EVERY and not _is_poll(request):
        session[SEEN] = now
    return ""


def _is_poll(request: HttpRequest) -> bool:
    """A page that asks for itself anew, as a run's does every two seconds, or for its bell: nobody need sit there."""
    htmx = request.htmx  # type: ignore[attr-defined]
    here = (htmx.current_url_abs_path or "").partition("?")[0] if htmx else ""
    return request.method == "GET" and request.path in (here, reverse("bell"))


def _told(seconds: int) -> str:
    count, unit = (seconds // 3600, "hour") if seconds >= 3600 else (max(1, seconds // 60), "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"
