"""Record pages are never kept by a browser or a proxy; a session that ended opens the sign-in page, whole; a body that
is too large, an address that cannot be read, and a method that no page knows are refused before anything is done."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse, QueryDict
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from ingestion import lake
from ingestion.origin import coming_from
from review.addresses import client_address
from review.templatetags.tieout import in_bytes

Answer = Callable[[HttpRequest], HttpResponse]
API = "/api/"
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
DOORS = ((API, "api"), ("/admin/", "admin"))
ENVELOPE = 1 << 16  # bytes of a form around its file
SPARE = 1 << 26  # bytes that are left free


def traced(get_response: Answer) -> Answer:
    """Let the audit log know where each act of a request comes from, and who is signed in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        door = next((door for start, door in DOORS if request.path.startswith(start)), "page")
        with coming_from(door, client_address(request), lambda: request.user):
            return get_response(request)

    return middleware


def no_store(get_response: Answer) -> Answer:
    """Add Cache-Control: no-store to whatever has not said otherwise."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def sign_in_whole(get_response: Answer) -> Answer:
    """Send a browser whose part of a page needs a sign-in to the sign-in page, and from there back to where it was."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        sign_in = resolve_url(settings.LOGIN_URL)
        if not request.htmx or response.status_code != 302 or not response.headers["Location"].startswith(sign_in):  # type: ignore[attr-defined]
            return response
        back = QueryDict(mutable=True)
        back["next"] = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(f"{sign_in}?{back.urlencode(safe='/')}")

    return middleware


def legible(get_response: Answer) -> Answer:
    """Refuse an address that holds a NUL, which no value does and the database cannot look for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", ""):
            return _refusal(request, "The address holds a NUL character. Take it out and try again.", 400)
        return get_response(request)

    return middleware


def known_methods(get_response: Answer) -> Answer:
    """Refuse what no page knows; a view that reads for GET would read for PUT, too. Programs' addresses say themselves what they
    know."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS and not request.path.startswith(API):
            return HttpResponseNotAllowed(METHODS)
        return get_response(request)

    return middleware


def bounded(get_response: Answer) -> Answer:
    """Refuse a body that is larger than this address takes, and one that is packed: its size says nothing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return _refusal(request, "Send the body as it is, without a Content-Encoding.", 415)
        most = _most(request)
        if _length(request) > most:
            return _refusal(request, f"The body has more than {in_bytes(most)}. Send it in parts.", 413)
        if _length(request) > ENVELOPE and not _has_room(_length(request)):
            return _refusal(request, "The disk has no room for that. Nothing was taken; tell who runs Tieout.", 507)
        return get_response(request)

    return middleware


def _has_room(size: int) -> bool:
    """Whether the disks of temporary files and of the lake hold it, its copy, and what others need meanwhile."""
    places = (Path(tempfile.gettempdir()), next(it for it in lake.local("x").parents if it.exists()))
    return min(shutil.disk_usage(place).free for place in places) > 2 * size + SPARE


def _length(request: HttpRequest) -> int:
    text = request.headers.get("Content-Length") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def _most(request: HttpRequest) -> int:
    """Files are for who is signed in, or comes with a token, which its view checks before it reads."""
    is_form = (request.content_type or "") == "multipart/form-data"
    if is_form and (request.path.startswith(API) or request.user.is_authenticated):
        return settings.UPLOAD_BYTES + ENVELOPE
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0


def _refusal(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"detail": sentence}, status=status)
    page = "400.html" if status == 400 else "413.html"
    template = "review/upload/refused.html" if request.htmx else page  # type: ignore[attr-defined]
    return render(request, template, {"sentence": sentence}, status=status)
