"""The answer to a sign-in that is locked: how long, and who can help."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

API = "/api/"


def locked(request: HttpRequest, response: HttpResponse | None = None, credentials: object = None) -> HttpResponse:
    """429 with a sentence. It is the same whether the name is anybody's or not."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    what = f"{settings.AXES_FAILURE_LIMIT} sign-ins under this name failed, so it is locked from here"
    if getattr(request, "all_names_locked", False):
        what = f"{settings.ADDRESS_FAILURES} sign-ins from your address failed, so all sign-ins from there are locked"
    sentence = f"{what} for {minutes} minutes. Wait, or ask an Administrator to unlock it."
    wait = str(minutes * 60)
    if request.path.startswith(API):
        return JsonResponse({"detail": sentence}, status=429, headers={"Retry-After": wait})
    answer = render(request, "registration/locked.html", {"sentence": sentence}, status=429)
    answer.headers["Retry-After"] = wait
    return answer
