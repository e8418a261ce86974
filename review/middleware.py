"""Record pages are never kept by a browser or a proxy; a session that ended opens the sign-in page, whole."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

Answer = Callable[[HttpRequest], HttpResponse]


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
