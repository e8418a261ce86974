"""The sources as their page lists them: who delivers what, by when, what came last, and what is at fault."""

from collections.abc import Sequence

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils.dateparse import parse_date

from ingestion.models import ClaimedWork, Normalization, Source
from reconciliation.visibility import visible_sources

MOST_SOURCES = 200
STATES = ClaimedWork.State


def listed_sources(request: HttpRequest) -> Sequence[Source]:
    """The user's sources, each with its `version` of the mapping and what came `last` (delivery, business_date, state, received,
    quarantined), in one query."""
    came = Normalization.objects.filter(delivery__source=OuterRef("pk")).order_by("-pk")
    told = JSONObject(
        delivery="delivery_id",
        date="delivery__business_date",
        state="state",
        received="received",
        quarantined="quarantined",
    )
    seen = visible_sources(request.user).annotate(version=Max("mappings__version"))
    seen = seen.annotate(last=Subquery(came.annotate(told=told).values("told")[:1]))
    found = list(seen.select_related("record_type", "deadline").order_by("code")[:MOST_SOURCES])
    for it in found:
        if it.last is not None:
            it.last["date"] = parse_date(it.last["date"])
            it.last["title"] = STATES(it.last["state"]).label
    return found


def narrowed(rows: QuerySet[Normalization], source: str, state: str) -> QuerySet[Normalization]:
    """Readings of one source, or in one state, where these are asked for and there are such."""
    if source:
        rows = rows.filter(delivery__source__code=source)
    return rows.filter(state=state) if state in STATES.values else rows
