"""The admin's site: one sign-in for all pages, and a refusal in place of a second one."""

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


class TieoutAdminSite(AdminSite):
    """The set-up and the books, for people marked as staff; what they may do there follows from their roles."""

    site_header = "Tieout"
    site_title = "Tieout admin"
    index_title = "Set-up and books"

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """The site's own sign-in; who is signed in and no staff is refused."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or request.get_full_path())
