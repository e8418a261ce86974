"""One break that somebody may see, with what its page shows."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from ingestion.prepared import PK, prepared
from reconciliation.inputs import keep_inputs
from reconciliation.models import Break
from review.journey_breaks import assignments_of_break, holds_of_break
from review.visible import access, entered_reconciliations, visible_breaks


def visible_break(request: HttpRequest, pk: int, **more: Any) -> Break:  # noqa: ANN401
    """A break that the user may see, with what its page shows, and `more` by expressions; 404 for any other."""
    if more:
        brk = get_object_or_404(_shown(request).annotate(**more), pk=pk)
    elif found := prepared(("break", access(request)), lambda: _shown(request).filter(pk=PK), {PK: pk}):
        brk = found[0]
    else:
        raise Http404
    by_id = {it.pk: it for it in entered_reconciliations(request)}
    brk.reconciliation = brk.last_run.reconciliation = by_id[brk.reconciliation_id]
    keep_inputs(brk.last_run)
    return brk


def _shown(request: HttpRequest) -> QuerySet[Break]:
    seen = visible_breaks(request).annotate(holds_told=holds_of_break(), assigned_told=assignments_of_break())
    return seen.select_related("last_run__rule_set", "assignee")
