"""The answer to a fault of ours: a number that stands in the log beside what went wrong, and nothing of it."""

import logging
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader

API = "/api/"
SAYS = "Something failed here. Nothing was half-done: what was being written was taken back. Try again; if it stays, tell an Administrator the number"
log = logging.getLogger("tieout.failures")


def failed(request: HttpRequest) -> HttpResponse:
    """500 as JSON for programs, else as a page. Reads nothing of the request but its address, since nothing may work any more."""
    number = str(uuid.uuid4())
    log.error("Failure %s at %s %s", number, request.method, request.path, exc_info=True)
    answer = _answer(request, number)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the traceback once more
    return answer


def _answer(request: HttpRequest, number: str) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"detail": f"{SAYS} {number}.", "failure": number}, status=500)
    return HttpResponse(loader.render_to_string("500.html", {"says": SAYS, "number": number}), status=500)
