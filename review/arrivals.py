"""The arrival board: per source and business date whether its delivery is expected, arrived, late or run."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from ingestion.expectations import readable
from ingestion.models import Delivery, Expectation, Normalization, Source
from ingestion.person import person_of
from ingestion.prepared import anybody_like, prepared
from reconciliation.models import Run
from reconciliation.visibility import visible_sources
from review.visible import visible_reconciliations

DATES = 7
LOOK_BACK = dt.timedelta(days=21)
MOST_SOURCES = 40
MOST_MISMATCHES = 10
UTC = ZoneInfo("UTC")
Key = tuple[int, dt.date]
Came = tuple[dt.datetime, int | None]
GLYPHS = {
    "expected": ("dash", ""), "arrived": ("check", "ok"), "run": ("play", ""), "late": ("clock", "warn"),
    "missing": ("alert", "bad"),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A source on a date. `state` is empty where nothing is owed and nothing came."""

    state: str = ""
    text: str = ""
    run: int | None = None

    @property
    def glyph(self) -> str:
        """Its icon."""
        return GLYPHS[self.state][0]

    @property
    def tone(self) -> str:
        """Its colour, beside the icon."""
        return GLYPHS[self.state][1]

    @property
    def ground(self) -> str:
        """The class of its cell."""
        return {"late": "late", "missing": "miss"}.get(self.state, "")


def arrival_board(request: HttpRequest) -> dict[str, Any]:
    """The newest dates and a line per source, those with a deadline first; and what is missing."""
    now = timezone.now()
    sources = _sources(request, now.date() - LOOK_BACK)
    came = _came(request, sources, now.date() - LOOK_BACK)
    owed = _owed(sources, now.date() - LOOK_BACK)
    dates = sorted({date for _, date in [*came, *owed]})[-DATES:]
    lines = [{"source": it, "cells": [_cell(it, (it.pk, date), came, owed, now) for date in dates]} for it in sources]
    odd = [{"source": it, "delivery": pk} for it in sources for pk in it.mismatched]  # type: ignore[attr-defined]
    return {"dates": dates, "lines": lines if dates else [], "missing": _missing(lines, dates), "mismatched": odd}


def _mismatched(since: dt.date) -> QuerySet[Normalization]:
    """Readings of a source's deliveries whose control totals do not agree, as long as no later delivery took their place."""
    date, newest = OuterRef("delivery__business_date"), OuterRef("delivery")
    later = readable(Delivery.objects.filter(source=OuterRef("delivery__source"), business_date=date, pk__gt=newest))
    odd = Normalization.objects.filter(mismatches__isnull=False, delivery__business_date__gte=since)
    return odd.filter(~Exists(later), delivery__source=OuterRef("pk")).order_by("-delivery_id")[:MOST_MISMATCHES]


def _sources(request: HttpRequest, since: dt.date) -> list[Source]:
    """The sources, each with the deliveries that are `mismatched`."""
    used = frozenset(pk for it in visible_reconciliations(request) for pk in (it.a_id, it.b_id))
    rights, anybody, given = anybody_like(person_of(request))
    return prepared(("arrivals", rights, used, since), lambda: _shown(anybody, used, since), given)


def _shown(user: User, used: frozenset[int], since: dt.date) -> QuerySet[Source]:
    shown = visible_sources(user).filter(Q(pk__in=used) | Q(deadline__isnull=False))
    shown = shown.annotate(mismatched=ArraySubquery(_mismatched(since).values("delivery_id")))
    return shown.select_related("deadline").order_by("deadline__at", "code")[:MOST_SOURCES]


def _came(request: HttpRequest, sources: Sequence[Source], since: dt.date) -> dict[Key, Came]:
    """When the first delivery of a source and date came, and the newest run that took one; of old dates the last."""
    given = Delivery.objects.filter(source__in=sources)
    last = given.order_by("-id").values("business_date")[:1]
    recent = readable(given.filter(Q(business_date__gte=since) | Q(business_date__gte=Subquery(last))))
    path = "normalizations__run_inputs__run"
    seen = Q(**{f"{path}__reconciliation__in": [it.pk for it in visible_reconciliations(request)]})
    run = Max(path, filter=seen & ~Q(**{f"{path}__state": Run.State.FAILED}))
    found = recent.order_by().values_list("source", "business_date").annotate(Min("received_at"), run=run)
    return {(source, date): (came, run) for source, date, came, run in found}


def _owed(sources: Sequence[Source], since: dt.date) -> dict[Key, Expectation]:
    found = Expectation.objects.filter(source__in=sources, business_date__gte=since)
    return {(it.source_id, it.business_date): it for it in found}


def _cell(
    source: Source,
    key: Key,
    came: dict[Key, Came],
    owed: dict[Key, Expectation],
    now: dt.datetime,
) -> Cell:
    zone, due = _zone(source), owed.get(key)
    if key not in came:
        return Cell() if due is None else _absent(due, zone, now)
    arrived, run = came[key]
    text = _clock(arrived, due.due_at if due else arrived, zone)
    if due is not None and arrived > due.late_at:
        return Cell("late", text, run)
    return Cell("run" if run else "arrived", text, run)


def _absent(due: Expectation, zone: ZoneInfo, now: dt.datetime) -> Cell:
    if now < due.late_at:
        return Cell("expected", f"by {_clock(due.due_at, now, zone)}")
    return Cell("missing", f"{_span(now - due.due_at)} late")


def _zone(source: Source) -> ZoneInfo:
    deadline = getattr(source, "deadline", None)
    return ZoneInfo(deadline.zone) if deadline is not None else UTC


def _clock(moment: dt.datetime, beside: dt.datetime, zone: ZoneInfo) -> str:
    """The local time; with its day where that is another than the one beside it."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == beside.astimezone(zone).date() else f"{local.day} {local:%b %H:%M}"


def _span(span: dt.timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def _missing(lines: Iterable[dict[str, Any]], dates: Sequence[dt.date]) -> list[dict[str, Any]]:
    return [
        {"source": line["source"], "date": date, "late": cell.text}
        for line in lines
        for date, cell in zip(dates, line["cells"], strict=True)
        if cell.state == "missing"
    ]
