"""The audit explorer: who did what, when and to what; filters in the address, nothing that could be edited."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from ingestion.audit_chain import last_anchor
from ingestion.audit_log import ACTIONS
from ingestion.models import AuditCheck, AuditEvent
from review.audit_events import FILTERS, READS, BadFilter, Changed, changes_of, narrowed, visible_events
from review.ids import id_of
from review.set_up_history import BY_HAND, KINDS, MOST, may_see, versions_of
from review.visible import visible_reconciliations

PAGE = 50
KEPT = {str(apps.get_model(model)._meta.verbose_name): kind for kind, model in KINDS.items()} | {
    "periodic task": "schedule"
}  # by what an event calls it
PAGES = {
    "break": "break", "run": "run", "model version": "model", "delivery": "delivery", "quarantined row": "quarantined",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One event as it is shown."""

    event: AuditEvent
    title: str
    url: str
    history: str
    reconciliation: str
    changes: list[Changed]


@require_safe
@permission_required(READS, raise_exception=True)
def audit(request: HttpRequest) -> HttpResponse:
    """The events, newest first; a page goes on where the one before ended."""
    asked = {name: value for name in FILTERS if (value := request.GET.get(name, "").strip())}
    refused, page = "", list[AuditEvent]()
    try:
        found = narrowed(visible_events(request.user), asked)
        before = id_of(request.GET.get("before", ""))
        page = list((found.filter(sequence__lt=before) if before else found)[: PAGE + 1])
    except BadFilter as error:
        refused = str(error)
    codes = {it.pk: it.code for it in visible_reconciliations(request)}
    context = {
        "rows": [_row(it, codes) for it in page[:PAGE]],
        "next": urlencode({**asked, "before": str(page[PAGE - 1].sequence)}) if len(page) > PAGE else "",
        "asked": {name: asked.get(name, "") for name in FILTERS},
        "filters": urlencode(asked),
        "is_narrowed": bool(asked),
        "actions": ACTIONS,
        "reconciliations": visible_reconciliations(request),
        "refused": refused,
        **_chain(),
    }
    return render(request, "review/audit.html", context, status=400 if refused else 200)


def _chain() -> dict[str, Any]:
    """How far the chain was found whole, and what stands outside of the database."""
    checked = AuditCheck.objects.first()
    return {"check": checked, "anchor": last_anchor()}


def _row(event: AuditEvent, codes: dict[int, str]) -> Row:
    page = PAGES.get(event.kind)
    url = reverse(page, args=[int(event.object_id)]) if page and event.object_id.isdigit() else ""
    title = ACTIONS.get(event.action, event.action)
    kept = KEPT.get(event.kind)
    history = reverse("set_up_history", args=[kept, int(event.object_id)]) if kept and event.object_id.isdigit() else ""
    return Row(event, title, url, history, codes.get(event.reconciliation or 0, ""), changes_of(event))


@require_safe
@permission_required(READS, raise_exception=True)
def history(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The versions of a thing of the set-up, each with what it changed."""
    if kind not in KINDS or not may_see(request.user, kind, pk):
        raise Http404
    name, versions = versions_of(kind, pk)
    if not versions:
        raise Http404
    context = {"name": name, "versions": versions[:MOST], "most": MOST, "by_hand": BY_HAND}
    return render(request, "review/set_up_history.html", context)
