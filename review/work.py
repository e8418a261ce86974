"""My work: what waits for the person who looks, each with the list that it leads to."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Func, IntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ingestion.person import person_of
from ingestion.prepared import MOMENT, anybody_like, prepared
from reconciliation.models.break_ import SHOWN
from review.inbox import counts_since, unread_of
from review.models import Decision
from review.rights import CONFIRMS, DECIDES
from review.visible import access, asked_opinions, visible_breaks


@dataclass(frozen=True)
class Item:
    """So many things of a sort."""

    title: str
    glyph: str
    count: int
    url: str
    hint: str = ""
    is_bad: bool = False


def my_work(request: HttpRequest) -> list[Item]:
    """What waits for the user, in one query; what the user has no right for is left out."""
    user, told = request.user, _counted(request)
    queue, alerts = reverse("queue"), reverse("alerts")
    found = []
    if user.has_perm(DECIDES):
        due = f"{told['over']:,} over time" if told["over"] else ""
        found.append(Item("Assigned to me", "user", told["mine"], f"{queue}?assigned=me", due, bool(told["over"])))
        found.append(Item("My proposals that wait", "flag", told["proposed"], f"{reverse('proposed')}?by=me"))
    if user.has_perm(CONFIRMS):
        found.append(
            Item("Waiting for my confirmation", "gate", told["to_confirm"], f"{reverse('proposed')}?by=others")
        )
    if asked := asked_opinions(request):
        found.append(Item("Second opinions", "split", asked, reverse("second_opinions")))
    return [*found, Item("Mentions", "chat", told["mentions"], f"{alerts}?event=comment.mention")]


def open_proposals(request: HttpRequest) -> QuerySet[Decision]:
    """Proposals that wait for a second person, of breaks that the user may see."""
    return Decision.objects.filter(access(request).holds("brk__", of="run__"), confirmed_by=None, withdrawn=False)


def _counted(request: HttpRequest) -> dict[str, Any]:
    """The numbers, by the minute: what is over time then, and how far the bell looks back."""
    minute, user = timezone.now().replace(second=0, microsecond=0), person_of(request)
    rights, anybody, given = anybody_like(user)
    given = {**given, MOMENT: counts_since(user)}
    (told,) = prepared(("work", rights, access(request), minute), lambda: _numbers(request, anybody, minute), given)
    return told


def _numbers(request: HttpRequest, user: User, minute: dt.datetime) -> QuerySet[User, dict[str, Any]]:
    mine = visible_breaks(request).filter(SHOWN, assignee=user.pk)
    proposals = open_proposals(request)
    told = {
        "mine": number_of(mine),
        "over": number_of(mine.filter(due_at__lt=minute)),
        "proposed": number_of(proposals.filter(proposed_by=user.pk)),
        "to_confirm": number_of(proposals.exclude(proposed_by=user.pk)),
        "mentions": number_of(unread_of(user).filter(event="comment.mention")),
    }
    return User.objects.filter(pk=user.pk).values(**told)  # type: ignore[return-value]


def number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many rows, as a part of another query."""
    counted = rows.order_by().annotate(n=Func(F("pk"), function="COUNT", output_field=IntegerField()))
    return Coalesce(Subquery(counted.values("n")), 0)
