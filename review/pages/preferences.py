"""The keys that work, and how a person wants to work."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from review.preferences import PreferenceRefused, prefer


@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """A dialog over the page where one is, or a page of its own; set, it leads back to where one was."""
    if request.method == "GET":
        return _shown(request)
    try:
        prefer(request, has_keys="keys" in request.POST, density=request.POST.get("density", ""))
    except PreferenceRefused as error:
        return render(request, "review/preferences.html", {"refused": str(error)}, status=400)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours else "preferences")


def _shown(request: HttpRequest) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        back = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
        answer = render(request, "review/keys.html", {"dialog": True, "back": back})
    else:
        answer = render(request, "review/preferences.html")
    answer.headers["Vary"] = "HX-Request"
    return answer
