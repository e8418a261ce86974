"""Proposals that wait for a second person, the oldest first: those of others, one's own, or all."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from review.ids import id_of
from review.work import open_proposals

PAGE = 50
TABS = {"others": "Of others", "me": "My own", "all": "All"}


def proposed(request: HttpRequest) -> HttpResponse:
    """A page of them; each leads to its break, where it is confirmed or withdrawn."""
    by = request.GET.get("by", "others")
    by = by if by in TABS else "all"
    found = open_proposals(request)
    if by != "all":
        found = found.filter(proposed_by=request.user.pk) if by == "me" else found.exclude(proposed_by=request.user.pk)
    after = id_of(request.GET.get("after", ""))
    page = list(
        found.filter(pk__gt=after).select_related("brk__reconciliation", "proposed_by").order_by("pk")[: PAGE + 1]
    )
    context = {
        "rows": page[:PAGE],
        "by": by,
        "tabs": [{"code": code, "title": title, "is_on": code == by} for code, title in TABS.items()],
        "next": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
    return render(request, "review/proposed.html", context)
