"""What the signed-in person may see, asked once a request: the reconciliations, and how many breaks wait in each."""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from reconciliation.models import Break, BreakTally, Reconciliation
from reconciliation.models.break_ import HIDDEN
from review.inbox import bell_text, counted
from review.second_opinions import GIVES, open_opinions


def visible_reconciliations(request: HttpRequest) -> list[Reconciliation]:
    """The reconciliations that the user may see, by code; each has its record type, `waiting`, its breaks that people are
    shown, `asked`, its labels on which the user may give a second opinion, and `unread`, the user's alerts, the same for each:
    so a page's bar costs one query."""
    if not hasattr(request, "reconciliations"):
        seen = Reconciliation.objects.visible_to(request.user).select_related("a__record_type", "b")
        told = seen.annotate(
            waiting=Coalesce(_waiting(), 0),
            asked=Coalesce(_asked(request), 0),
            unread=ArraySubquery(counted(request.user)),  # type: ignore[arg-type]
        )
        request.reconciliations = list(told)  # type: ignore[attr-defined]
    return request.reconciliations  # type: ignore[attr-defined, no-any-return]


def _waiting() -> Subquery:
    shown = BreakTally.objects.filter(state=Break.State.REVIEW).exclude(band__in=HIDDEN)
    waiting = shown.filter(reconciliation_id=OuterRef("pk")).order_by()
    return Subquery(waiting.values("reconciliation_id").annotate(n=Sum("breaks")).values("n"))


def _asked(request: HttpRequest) -> Subquery:
    """How many labels wait for the user's second opinion."""
    mine = open_opinions(request.user).filter(correction__difference__brk__reconciliation=OuterRef("pk")).order_by()
    counted = mine.values("correction__difference__brk__reconciliation").annotate(n=Count("pk"))
    return Subquery(counted.values("n"))


def visible_breaks(request: HttpRequest) -> QuerySet[Break]:
    """The breaks that the user may see. The ids are given, not asked in a subquery: so the planner knows its indexes."""
    return Break.objects.filter(reconciliation__in=[it.pk for it in visible_reconciliations(request)])


def waiting_breaks(request: HttpRequest) -> int:
    """How many breaks wait for a person."""
    return sum(it.waiting for it in visible_reconciliations(request))  # type: ignore[attr-defined]


def asked_opinions(request: HttpRequest) -> int:
    """How many labels wait for the user's second opinion; of no interest to who may give none."""
    if not request.user.has_perm(GIVES):  # type: ignore[union-attr]
        return 0
    return sum(it.asked for it in visible_reconciliations(request))  # type: ignore[attr-defined]


def bell(request: HttpRequest) -> str:
    """The number on the bell of unread alerts; empty where everything is read."""
    seen = visible_reconciliations(request)
    unread = seen[0].unread if seen else counted(request.user)  # type: ignore[attr-defined, arg-type]
    return bell_text(len(unread))
