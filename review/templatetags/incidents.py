"""A line on open incidents, for any page: `{% load incidents %}{% incidents_line %}`."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.db.models import QuerySet

from ingestion.prepared import prepared
from review.incidents.standing import signature_text
from review.models import Incident
from review.visible import visible_reconciliations

register = template.Library()


def _open(ids: Sequence[int]) -> QuerySet[Incident]:
    return Incident.objects.filter(reconciliation__in=ids, state=Incident.State.OPEN).order_by("-pk")


@register.inclusion_tag("review/incidents_line.html", takes_context=True)
def incidents_line(context: Any) -> dict[str, object]:  # noqa: ANN401 - a template's context
    """How many are open, and of how many breaks; one query that reads no break. Nothing where none is."""
    request = context["request"]
    ids = tuple(it.pk for it in visible_reconciliations(request))
    found = prepared(("open incidents", ids), lambda: _open(ids))
    newest = f"{found[0].reason or 'no reason'}, {signature_text(found[0])}" if found else ""
    return {"count": len(found), "breaks": sum(it.breaks for it in found), "newest": newest}
