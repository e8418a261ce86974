"""The answer to a fault of ours: a number that stands in the log beside what went wrong, and nothing of it. That the database is
away is no fault of the request, and passes: 503."""

import logging
import sys
import uuid

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader

API = "/api/"
FAILED, BACK_SOON = "Something failed", "Tieout will be back in a moment"  # what the page is called
SAYS = "Something failed here. Nothing was half-done: what was being written was taken back. Try again; if it stays, tell an Administrator the number"
AWAY = "The database does not answer just now. Try again in a moment; if it stays, tell an Administrator the number"
AGAIN_SECONDS = 5
UNREACHABLE = ("08", "533", "57P")  # beginnings of PostgreSQL's states: no connection, too many, ended by who runs it
log = logging.getLogger("tieout.failures")


def failed(request: HttpRequest) -> HttpResponse:
    """500 or 503 as JSON for programs, else as a page. Reads nothing of the request but its address, since nothing may work any
    more."""
    number = str(uuid.uuid4())
    log.error("Failure %s at %s %s", number, request.method, request.path, exc_info=True)
    answer = _answer(request, number, is_away=_is_away(sys.exc_info()[1]))
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the traceback once more
    return answer


def _is_away(error: BaseException | None) -> bool:
    """Whether the database cannot be reached, ended the session, or takes no more of them."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(UNREACHABLE)


def _answer(request: HttpRequest, number: str, *, is_away: bool) -> HttpResponse:
    heading, says, status = (BACK_SOON, AWAY, 503) if is_away else (FAILED, SAYS, 500)
    headers = {"Retry-After": str(AGAIN_SECONDS)} if is_away else {}
    if request.path.startswith(API):
        return JsonResponse({"detail": f"{says} {number}.", "failure": number}, status=status, headers=headers)
    page = loader.render_to_string("500.html", {"heading": heading, "says": says, "number": number})
    return HttpResponse(page, status=status, headers=headers)
