"""The admin's site: one sign-in for all pages, and a refusal in place of a second one."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

TITLES = {"axes": "Sign-in", "auth": "People", "django_celery_beat": "Times"}
PARTS = ("__year", "__iso_year")  # of a date, as a list could be asked for


class TieoutAdminSite(AdminSite):
    """The set-up and the books, for people marked as staff; what they may do there follows from their roles."""

    site_header = "Tieout"
    site_title = "Tieout admin"
    index_title = "Set-up and books"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The set-up as a whole, beside the things."""
        from config.admin.definitions import definition_urls  # the site is made before the apps are ready
        from config.admin.uploads import admin_upload_urls

        return [*definition_urls(self), *admin_upload_urls(self), *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        """What waits, then all that there is."""
        from config.admin.waiting import what_waits  # the site is made before the apps are ready

        return super().index(request, {"waiting": what_waits(request), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Definitions first: they set up most of the rest."""
        listed = list(super().get_app_list(request, app_label))
        for model in (it for app in listed for it in app["models"] if it["object_name"] == "PeriodicTask"):
            model["name"] = "Schedules"
        for app in listed:
            app["name"] = TITLES.get(app["app_label"], app["name"])
        if app_label is None and request.user.has_perm("reconciliation.view_reconciliation"):
            listed.insert(0, self._definitions())
        return listed

    def _definitions(self) -> dict[str, Any]:
        url = reverse("admin:definitions", current_app=self.name)
        page = {"name": "Definitions", "object_name": "Definition", "admin_url": url, "view_only": True, "perms": {}}
        return {"name": "Set-up", "app_label": "set-up", "app_url": url, "has_module_perms": True, "models": [page]}

    def each_context(self, request: HttpRequest) -> Any:  # noqa: ANN401
        """With the address of every version, on the history page of a thing of which they are kept."""
        return {**super().each_context(request), "versions_url": _versions_url(request)}

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        """A page behind the sign-in. A list that is asked for a part of a date is refused: Django fails at the year 0."""

        @wraps(view)
        def plain(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if any(part in name for part in PARTS for name in request.GET):
                raise BadRequest("No list is filtered by a part of a date.")
            return view(request, *args, **kwargs)

        return super().admin_view(plain, cacheable)

    @method_decorator(transaction.atomic)
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        """The password and its event, or neither."""
        return super().password_change(request, extra_context)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """The site's own sign-in; who is signed in and no staff is refused."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or request.get_full_path())


def _versions_url(request: HttpRequest) -> str:
    from review.audit_events import READS  # the site is made before the apps are ready
    from review.set_up_history import KINDS

    match = request.resolver_match
    name, pk = (match.url_name or "", str(match.kwargs.get("object_id", ""))) if match else ("", "")
    kind = name.removesuffix("_history").rpartition("_")[2].replace("periodictask", "schedule")
    if not name.endswith("_history") or kind not in KINDS or not pk.isdigit():
        return ""
    return reverse("set_up_history", args=[kind, int(pk)]) if request.user.has_perm(READS) else ""
