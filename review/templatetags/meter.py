"""A line on the next certificate, for the queue: `{% load meter %}{% meter_line %}`."""

from typing import Any

from django import template

from attribution.meter import next_certificates
from review.visible import visible_reconciliations

register = template.Library()


@register.inclusion_tag("review/meter_line.html", takes_context=True)
def meter_line(context: template.Context) -> dict[str, Any]:
    """Of the reconciliation that the address names, else of the one that has the fewest reviews to go; nothing without a model."""
    request = context["request"]
    asked = request.GET.get("reconciliation")
    mine = {it.pk: it for it in visible_reconciliations(request) if asked in (None, "", it.code)}
    meters = next_certificates(mine.values())
    nearest = min(meters, key=lambda pk: (meters[pk].reviews is None, meters[pk].reviews or 0), default=None)
    return {"meter": meters[nearest], "of": mine[nearest]} if nearest is not None else {}
