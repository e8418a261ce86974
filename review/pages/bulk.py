"""Bulk decisions in the browser: choose, look at what it would do, start, follow, undo."""

import csv
import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from attribution.models import Reason
from ingestion.person import person_of
from ingestion.spreadsheets import safe
from review.assigning import AssignRefused, deciders, person_called
from review.bulk.bulks import (
    TYPED_FROM,
    BulkRefused,
    reconciliations_of,
    start_bulk,
    undo_bulk,
    visible_bulks,
    way_to_undo,
)
from review.bulk.selecting import BadSelection, NotAllVisible, Picked, choose_filtered, choose_rows
from review.bulk.stopping import may_stop, stop_bulk
from review.bulk.summary import summary_of
from review.holding import HoldRefused, day_of
from review.ids import id_of
from review.models import BulkDecision, BulkPreview, BulkRow, Decision
from review.models.bulk import ASSIGN, HOLD
from review.models.decision import UNDO_FOR
from review.pages.paged import page_of
from review.rights import CONFIRMS, DECIDES

PAGE, SHOWN = 50, 100
LATEST = 10  # results beside the progress
FORGOTTEN_SECONDS = 60
NOT_FILTERS = ("csrfmiddlewaretoken", "row", "whole", "after", "order")


def bulks(request: HttpRequest) -> HttpResponse:
    """Bulk decisions, newest first."""
    page, following = page_of(request, visible_bulks(person_of(request)), PAGE)
    return render(request, "review/bulks.html", {"bulks": page, "next": following})


@require_POST
@permission_required(DECIDES, raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """Freeze the checked rows, or with `whole` everything that the queue's filter lists."""
    try:
        preview = _chosen(request)
    except BadSelection as error:
        messages.error(request, str(error), extra_tags="bad")
        return redirect(f"/queue/?{_filters(request).urlencode()}")
    except NotAllVisible:
        raise Http404 from None
    return redirect("bulk_preview", preview.pk)


def _chosen(request: HttpRequest) -> BulkPreview:
    if request.POST.get("whole"):
        return choose_filtered(query=_filters(request), by=person_of(request))
    picked = [Picked.from_text(str(text)) for text in request.POST.getlist("row")]
    return choose_rows(picked=picked, by=person_of(request))


def _filters(request: HttpRequest) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in request.POST.items() if name not in NOT_FILTERS and value})
    return query


def _preview(request: HttpRequest, token: uuid.UUID) -> BulkPreview:
    """One's own preview; 404 for any other."""
    return get_object_or_404(BulkPreview, pk=token, made_by=request.user.pk)


@permission_required(DECIDES, raise_exception=True)
def preview(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """What the chosen breaks are, and the form that decides them."""
    held = _preview(request, token)
    begun = BulkDecision.objects.filter(preview=held.pk).first()
    return redirect("bulk", begun.pk) if begun is not None else _shown(request, held)


def _shown(request: HttpRequest, held: BulkPreview, refused: str = "") -> HttpResponse:
    given = request.POST
    context: dict[str, Any] = {
        "preview": held,
        "summary": summary_of(held, person_of(request)),
        "actions": Decision.Action.choices,
        "people": deciders(reconciliations_of(held)).values_list("username", flat=True),
        "action": given.get("action", "approve"),
        "reason": given.get("reason", ""),
        "comment": given.get("comment", ""),
        "until": given.get("until", ""),
        "party": given.get("party", ""),
        "tomorrow": (timezone.now().date() + dt.timedelta(days=1)).isoformat(),
        "reasons": Reason.objects.filter(active=True).exclude(code="UNKNOWN").values_list("code", flat=True),
        "asks_number": len(held.chosen) > TYPED_FROM,
        "confirms": request.user.has_perm(CONFIRMS),
        "refused": refused,
    }
    return render(request, "review/bulk_preview.html", context, status=400 if refused else 200)


@require_POST
@permission_required(DECIDES, raise_exception=True)
def start(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Decide, assign or hold them, once, however often this is sent."""
    held = _preview(request, token)
    asked, by = request.POST.get("action", ""), person_of(request)
    try:
        bulk = start_bulk(
            preview=held,
            action=asked,
            by=by,
            assignee=person_called(request.POST.get("assignee", ""), by) if asked == ASSIGN else None,
            reason=request.POST.get("reason", ""),
            comment=request.POST.get("comment", ""),
            typed=request.POST.get("typed", ""),
            until=day_of(request.POST.get("until", "")) if asked == HOLD else None,
            party=request.POST.get("party", ""),
        )
    except (BulkRefused, AssignRefused, HoldRefused) as error:
        return _shown(request, held, str(error))
    return redirect("bulk", bulk.pk)


def bulk_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, and what became of each row; while rows wait htmx asks every two seconds."""
    bulk = get_object_or_404(visible_bulks(person_of(request)), pk=pk)
    state, after = request.GET.get("state", ""), id_of(request.GET.get("after", ""))
    page = _results(bulk, state, after)
    waited = (timezone.now() - bulk.asked_at).total_seconds()
    context = {
        "bulk": bulk,
        "rows": page[:SHOWN],
        "state": state,
        "next": after + SHOWN if len(page) > SHOWN else None,
        "waiting": bulk.rows - bulk.settled,
        "percent": f"{100 * bulk.settled / max(bulk.rows, 1):.1f}",
        "undo": way_to_undo(bulk, person_of(request)),
        "may_stop": may_stop(bulk, person_of(request)),
        "undo_seconds": int(UNDO_FOR.total_seconds()),
        "undone_in": bulk.undone_in.order_by("-pk").first(),
        "forgotten": bulk.state == BulkDecision.State.READY and waited > FORGOTTEN_SECONDS and not bulk.settled,
    }
    response = render(request, "review/bulk.html" + ("#whole" if request.htmx else ""), context)  # type: ignore[attr-defined]
    response.headers["Vary"] = "HX-Request"
    return response


def _results(bulk: BulkDecision, state: str, after: int) -> list[BulkRow]:
    """A page of rows and one more, what was refused first; while it is under way the newest few results."""
    rows = bulk.results.select_related("brk", "decision")
    if bulk.is_under_way:
        return list(rows.exclude(state=BulkRow.State.WAITING).order_by("-position")[:LATEST])
    rows = rows.filter(state=state) if state in BulkRow.State.values else rows
    return list(rows.order_by("-state", "position")[after : after + SHOWN + 1])


@require_POST
@permission_required(DECIDES, raise_exception=True)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo every row of it that stands."""
    bulk = get_object_or_404(visible_bulks(person_of(request)), pk=pk)
    try:
        undoing = undo_bulk(bulk=bulk, by=person_of(request), comment=request.POST.get("comment", ""))
    except BulkRefused as error:
        messages.error(request, str(error), extra_tags="bad")
        return redirect("bulk", bulk.pk)
    return redirect("bulk", undoing.pk)


@require_POST
@permission_required(DECIDES, raise_exception=True)
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide no more of it."""
    bulk = get_object_or_404(visible_bulks(person_of(request)), pk=pk)
    try:
        stop_bulk(bulk=bulk, by=person_of(request))
    except BulkRefused as error:
        messages.error(request, str(error), extra_tags="bad")
    return redirect("bulk", bulk.pk)


def results(request: HttpRequest, pk: int) -> HttpResponse:
    """Every row with its result, as a file."""
    bulk = get_object_or_404(visible_bulks(person_of(request)), pk=pk)
    name = f"tieout_bulk_{bulk.pk}_{bulk.asked_at:%Y-%m-%d}.csv"
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    writer = csv.writer(answer)
    writer.writerow(("break", "reconciliation", "key", "result", "decision", "said", "at"))
    columns = ("brk_id", "brk__reconciliation__code", "brk__key", "state", "decision_id", "said", "settled_at")
    for row in bulk.results.order_by("position").values_list(*columns):
        *cells, at = row
        writer.writerow([*(safe(it) for it in cells), at.isoformat(timespec="seconds") if at else ""])
    return answer
