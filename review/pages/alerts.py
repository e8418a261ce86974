"""Alerts in the browser: the inbox, its bell, and what a person wants to hear of."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST, require_safe

from ingestion.models import Alert, Notice
from ingestion.person import person_of
from reconciliation.visibility import visible_alerts
from review.alert_events import EVENTS, Event, event_of
from review.ids import id_of
from review.inbox import (
    NoSuchChoice,
    choices_of,
    choose,
    inbox_of,
    newest_first,
    read_alerts,
    unread_alerts,
    unread_of,
)
from review.models import AlertChoice
from review.visible import bell

PAGE = 50
SHOWN_UNDELIVERED = 20
TABS = {"unread": "Unread", "all": "All", "muted": "Muted"}
EMPTY = {
    "unread": "Everything is read.",
    "all": "Nothing has happened yet.",
    "muted": "Nothing is muted that happened.",
}
SEES_NOTICES = "ingestion.change_notice"


@dataclass(frozen=True)
class Row:
    """A line of the inbox."""

    alert: Alert
    event: Event


def alerts(request: HttpRequest) -> HttpResponse:
    """The inbox: what is unread, or all, or what is muted."""
    show = request.GET.get("show", "unread")
    show = show if show in TABS else "all"
    found = newest_first(_shown(request, show))
    page = list(_after(found, request.GET.get("after", ""))[: PAGE + 1])
    unread = bell(request)
    context = {
        "rows": [Row(it, event_of(it.event)) for it in page[:PAGE]],
        "tabs": [{"code": code, "title": title, "is_on": code == show, "count": unread if code == "unread" else ""}
                 for code, title in TABS.items()],
        "show": show,
        "empty": EMPTY[show],
        "unread": unread,
        "until": timezone.now().isoformat(),
        "here": request.get_full_path(),
        "next": _next(request, page) if len(page) > PAGE else "",
        "undelivered": _undelivered(request),
    }  # fmt: skip
    return render(request, "review/alerts.html", context)


def _shown(request: HttpRequest, show: str) -> QuerySet[Alert]:
    user = request.user
    found = unread_of(user) if show == "unread" else inbox_of(user)  # type: ignore[arg-type]
    if show == "muted":
        found = found.filter(muted=True)  # type: ignore[misc]
    event = request.GET.get("event", "")
    return found.filter(event=event) if event in EVENTS else found


def _after(found: QuerySet[Alert], place: str) -> QuerySet[Alert]:
    """Those behind the last line of a page, `moment id`."""
    text, _, pk = place.rpartition(" ")
    moment, last = _moment(text), id_of(pk)
    return found if moment is None else found.filter(Q(last_at__lt=moment) | Q(last_at=moment, pk__lt=last))


def _next(request: HttpRequest, page: list[Alert]) -> str:
    kept = {name: request.GET[name] for name in ("show", "event") if request.GET.get(name)}
    last = page[PAGE - 1]
    return urlencode({**kept, "after": f"{last.last_at.isoformat()} {last.pk}"})


def _moment(text: str) -> dt.datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def _undelivered(request: HttpRequest) -> QuerySet[Notice]:
    """What could not be sent, for who may send it again; of alerts that they may see."""
    failed = Notice.objects.filter(sent_at=None).exclude(error="").order_by("-id")
    if not request.user.has_perm(SEES_NOTICES):
        return failed.none()
    seen = Q(alert=None) | Q(alert__in=visible_alerts(request.user).values("pk"))
    return failed.filter(seen).select_related("alert", "target", "person")[:SHOWN_UNDELIVERED]


@require_POST  # a browser that fetches ahead, or a link of another site, reads nobody's alerts
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Read an alert, and go to the page of what it is about."""
    found = get_object_or_404(visible_alerts(request.user), pk=pk)
    read_alerts(by=person_of(request), alerts=[found.pk])
    return redirect(found.link or "alerts")


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark one alert read or unread, or all that came before the page was shown."""
    user = request.user
    if given := request.POST.get("alert"):
        (unread_alerts if request.POST.get("unread") else read_alerts)(by=user, alerts=[id_of(given)])  # type: ignore[arg-type]
    else:
        read_alerts(by=user, until=_moment(request.POST.get("until", "")))  # type: ignore[arg-type]
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return redirect(back if is_ours else "alerts")


@require_safe
def bell_part(request: HttpRequest) -> HttpResponse:
    """The bell alone, for a page that stays open."""
    return render(request, "review/alerts/bell.html")


def choices(request: HttpRequest) -> HttpResponse:
    """What a person hears of, and how."""
    if request.method == "POST":
        try:
            _choose(request)
        except NoSuchChoice as wrong:
            messages.error(request, str(wrong), extra_tags="bad")
        else:
            messages.success(request, "Saved.", extra_tags="ok")
        return redirect("alert_choices")
    context: dict[str, Any] = {
        "choices": choices_of(person_of(request)),
        "mails": AlertChoice.Mail.choices,
        "hour": settings.DIGEST_HOUR,
    }
    return render(request, "review/alert_choices.html", context)


def _choose(request: HttpRequest) -> None:
    """Keep what differs from what holds."""
    for event, mail, muted in choices_of(person_of(request)):
        wanted = request.POST.get(f"mail-{event.code}", mail), f"muted-{event.code}" in request.POST
        if wanted != (mail, muted):
            choose(by=person_of(request), event=event.code, mail=wanted[0], muted=wanted[1])
