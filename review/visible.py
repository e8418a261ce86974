"""What the signed-in person may see, asked once a request: the reconciliations, as a whole or in part, and how many breaks wait
in each. Every query of breaks goes through here, or through `Break.objects.visible_to`."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from ingestion.person import person_of
from ingestion.prepared import MOMENT, anybody_like, prepared
from reconciliation.models import Access, Break, Reconciliation, access_to
from reconciliation.tally import tallied_shown
from review.inbox import bell_text, counted, counts_since
from review.second_opinions import GIVES, OF_OPINION, open_opinions


def entered_reconciliations(request: HttpRequest) -> list[Reconciliation]:
    """The reconciliations of which the user may see something, by code; each has its record type, `is_whole`, `waiting`, its breaks
    that the user is shown, `asked`, its labels on which the user may give a second opinion, and `unread`, the user's alerts, the
    same for each: so a page's bar costs one query."""
    if not hasattr(request, "reconciliations"):
        user = person_of(request)
        rights, anybody, given = anybody_like(user)
        given = {**given, MOMENT: counts_since(user)}
        request.reconciliations = prepared(("entered", rights), lambda: _entered(anybody), given)  # type: ignore[attr-defined]
        _count_parts(request)
    return request.reconciliations  # type: ignore[attr-defined]


def _entered(user: User) -> QuerySet[Reconciliation]:
    seen = Reconciliation.objects.entered_by(user).select_related("a__record_type", "b")
    counts = {"waiting": _of_whole(_waiting()), "asked": _of_whole(_asked(user))}
    return seen.annotate(**counts, unread=ArraySubquery(counted(user)))


def visible_reconciliations(request: HttpRequest) -> list[Reconciliation]:
    """Those that the user sees as a whole: with their runs, deliveries and models."""
    return [it for it in entered_reconciliations(request) if it.is_whole]


def _of_whole(counted: QuerySet[Any]) -> Coalesce:
    return Coalesce(Case(When(is_whole=True, then=Subquery(counted.values("n")))), 0)


def _waiting() -> QuerySet[Any]:
    mine = tallied_shown().filter(reconciliation_id=OuterRef("pk")).values("reconciliation_id")
    return mine.annotate(n=Sum("breaks"))


def _asked(user: User) -> QuerySet[Any]:
    """How many labels wait for the user's second opinion."""
    of = f"{OF_OPINION}reconciliation"
    mine = open_opinions(user).filter(**{of: OuterRef("pk")}).order_by().values(of)
    return mine.annotate(n=Count("pk"))


def _count_parts(request: HttpRequest) -> None:
    """The same numbers of reconciliations that the user sees in part: of the user's scopes alone."""
    if not (scopes := access(request).scopes):
        return
    by_id = {it.pk: it for it in entered_reconciliations(request)}
    waiting = tallied_shown().filter(scope_id__in=scopes).values_list("reconciliation_id").annotate(n=Sum("breaks"))
    mine = open_opinions(request.user).filter(**{f"{OF_OPINION}scope__in": scopes}).order_by()
    asked = mine.values_list(f"{OF_OPINION}reconciliation").annotate(n=Count("pk"))
    for name, counts in (("waiting", waiting), ("asked", asked)):
        for pk, count in counts:
            setattr(by_id[pk], name, count)


def access(request: HttpRequest) -> Access:
    """What the user sees, as ids."""
    return access_to(entered_reconciliations(request))


def visible_breaks(request: HttpRequest) -> QuerySet[Break]:
    """The breaks that the user may see. The ids are given, not asked in a subquery: so the planner knows its indexes."""
    return Break.objects.filter(access(request).holds())


def waiting_breaks(request: HttpRequest) -> int:
    """How many breaks wait for a person."""
    return sum(it.waiting for it in entered_reconciliations(request))  # type: ignore[attr-defined]


def asked_opinions(request: HttpRequest) -> int:
    """How many labels wait for the user's second opinion; of no interest to who may give none."""
    if not request.user.has_perm(GIVES):
        return 0
    return sum(it.asked for it in entered_reconciliations(request))  # type: ignore[attr-defined]


def bell(request: HttpRequest) -> str:
    """The number on the bell of unread alerts; empty where everything is read."""
    seen = entered_reconciliations(request)
    unread = seen[0].unread if seen else counted(person_of(request))  # type: ignore[attr-defined]
    return bell_text(len(unread))
