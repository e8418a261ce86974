"""What every page's bar needs."""

from functools import cache, partial

from django.http import HttpRequest
from django.urls import reverse

from review.audit_events import READS
from review.preferences import preference
from review.visible import asked_opinions, bell, waiting_breaks

ENTRIES = (
    ("Dashboard", "dashboard"),
    ("Queue", "queue"),
    ("Incidents", "incidents"),
    ("Audits", "blind_audits"),
    ("Runs", "runs"),
    ("Sources", "deliveries"),
    ("Quarantine", "quarantine"),
    ("Journey", "journey"),
    ("Models", "models"),
    ("Exports", "exports"),
)
SETS_UP = ("ingestion.add_recordtype", "ingestion.add_source", "reconciliation.add_reconciliation")


def navigation(request: HttpRequest) -> dict[str, object]:
    """The entries of the bar with the queue's count; nothing for who is not signed in. Asked for only where a bar is shown: a part
    of a page has none."""
    if not getattr(request, "user", None) or not request.user.is_authenticated or request.path.startswith("/admin/"):
        return {}
    asked = {"navigation": _entries, "bell": bell, "preference": preference}
    return {name: cache(partial(it, request)) for name, it in asked.items()}


def _entries(request: HttpRequest) -> list[dict[str, object]]:
    entries = [
        {
            "title": title,
            "url": reverse(name),
            "is_current": getattr(request.resolver_match, "url_name", "") == name,
            "count": waiting_breaks(request) if name == "queue" else None,
        }
        for title, name in ENTRIES
    ]
    if asked := asked_opinions(request):
        is_current = getattr(request.resolver_match, "url_name", "").startswith("second_opinion")
        url = reverse("second_opinions")
        entries.append({"title": "Opinions", "url": url, "is_current": is_current, "count": asked})
    if request.user.has_perm(READS):
        is_current = getattr(request.resolver_match, "url_name", "") == "audit"
        entries.append({"title": "Log", "url": reverse("audit"), "is_current": is_current, "count": None})
    if request.user.has_perms(SETS_UP):
        is_current = getattr(request.resolver_match, "url_name", "").startswith("setup")
        entries.append({"title": "Set up", "url": reverse("setup"), "is_current": is_current, "count": None})
    if request.user.is_staff:
        entries.append({"title": "Admin", "url": reverse("admin:index"), "is_current": False, "count": None})
    return entries
