"""Search by key from every page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from review.search import MOST, only_hit, search_keys
from review.visible import entered_reconciliations


def search(request: HttpRequest) -> HttpResponse:
    """The keys that begin so; a whole key that stands once opens its journey."""
    key = request.GET.get("key", "").strip()
    found = search_keys(entered_reconciliations(request), key)
    if (hit := only_hit(found, key)) is not None and "list" not in request.GET:
        query = urlencode({"reconciliation": hit.reconciliation.code, "key": hit.key})
        return redirect(f"{reverse('journey')}?{query}")
    return render(request, "review/search.html", {"key": key, "found": found, "most": MOST})
