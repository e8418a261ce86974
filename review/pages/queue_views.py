"""Saved views of the queue: the page that lists, saves, renames and deletes them, and how a person wants the queue to look."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from ingestion.person import person_of
from review.columns import COLUMNS
from review.ids import id_of
from review.models import SavedView
from review.ordering import ORDERS
from review.pages.queue_look import look_of
from review.saved_views import (
    LOOKS,
    ViewRefused,
    change_view,
    choose_look,
    delete_view,
    may_change,
    save_view,
    visible_views,
)


@require_http_methods(["GET", "POST"])
@permission_required(LOOKS, raise_exception=True)
def views(request: HttpRequest) -> HttpResponse:
    """The views; posted, a new one, which then stands open."""
    if request.method == "GET":
        return _page(request, request.GET)
    given, by = request.POST, person_of(request)
    try:
        made = save_view(
            by=by, name=given.get("name", ""), query=given.get("q", ""), order=given.get("order", ""),
            columns=given.getlist("column"), team=given.get("team", ""),
        )  # fmt: skip
        if given.get("first"):
            choose_look(by=by, opens_with=made.pk)
    except ViewRefused as refused:
        return _page(request, given, refused)
    return redirect(f"{reverse('queue')}?{_address(made)}")


def _address(view: SavedView) -> str:
    query = QueryDict(mutable=True)
    asked = {"q": view.query, "order": view.order, "view": str(view.pk)}
    query.update({name: value for name, value in asked.items() if value})
    return query.urlencode()


def _page(
    request: HttpRequest, given: QueryDict, refused: ViewRefused | None = None, of: SavedView | None = None
) -> HttpResponse:
    """The page; `given` is what stands in the form of a view, `of` the one that could not be changed so."""
    by = person_of(request)
    look = look_of(by)
    rows = [
        {
            "view": it,
            "address": _address(it),
            "is_first": it.pk == look.opens_with,
            "may_change": may_change(it, by),
            "refused": refused if of is not None and it.pk == of.pk else None,
        }
        for it in visible_views(by).select_related("team", "owner")
    ]
    context: dict[str, Any] = {
        "rows": rows,
        "look": look,
        "orders": [(name, it.title) for name, it in ORDERS.items()],
        "titles": COLUMNS,
        "given": given,
        "chosen": given.getlist("column"),
        "refused": refused if of is None else None,
    }
    return render(request, "review/queue_views.html", context, status=400 if refused else 200)


@require_POST
@permission_required(LOOKS, raise_exception=True)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view, or give it another query."""
    view = _visible(request, pk)
    given = {name: request.POST.get(name) for name in ("name", "query", "order")}
    try:
        change_view(view=view, by=person_of(request), **given)
    except ViewRefused as refused:
        return _page(request, request.GET, refused, view)
    return redirect("queue_views")


@require_POST
@permission_required(LOOKS, raise_exception=True)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view."""
    view = _visible(request, pk)
    try:
        delete_view(view=view, by=person_of(request))
    except ViewRefused as refused:
        return _page(request, request.GET, refused, view)
    messages.success(request, f"The view {view.name} is deleted.", extra_tags="ok")
    return redirect("queue_views")


@require_POST
@permission_required(LOOKS, raise_exception=True)
def look(request: HttpRequest) -> HttpResponse:
    """Choose columns, or the view that the queue opens with; then where the form stood."""
    given = request.POST
    try:
        choose_look(
            by=person_of(request),
            columns=given.getlist("column") if given.get("columns") else None,
            opens_with=id_of(given["view"]) if "view" in given else None,
        )
    except ViewRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
    if "view" in given:
        return redirect("queue_views")
    return redirect(f"{reverse('queue')}?{QueryDict(given.get('back', '')).urlencode() or 'q='}")


def _visible(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(visible_views(person_of(request)), pk=pk)
