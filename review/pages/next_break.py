"""From one break to another: to the next or the previous one of the queue as it was filtered, and to the next one like it."""

from dataclasses import replace

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from attribution.models import Attribution
from reconciliation.models import Break
from review.ordering import ORDERS, order_of, shown_breaks
from review.query import FILTERS, BadQuery, asked_of, known_of
from review.query.apply import asked_for
from review.visible import entered_reconciliations, visible_breaks

NEXT, PREVIOUS, SIMILAR = "next", "previous", "similar"
NONE = {
    NEXT: "This was the last one of the queue.",
    PREVIOUS: "This is the first one of the queue.",
    SIMILAR: "No other open break is like this one: the same kind, the same reason, in the same field.",
}


@require_safe
def next_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the break that the address asks for; where there is none, back to this one with a word."""
    way = request.GET.get("way", NEXT)
    brk = get_object_or_404(visible_breaks(request), pk=pk)
    try:
        found = next_alike(request, brk) if way == SIMILAR else _beside(request, pk, is_back=way == PREVIOUS)
        said = NONE.get(way, NONE[NEXT])
    except BadQuery as error:
        found, said = None, str(error)
    if found is None:
        messages.info(request, said)
    query = filters(request.GET)
    return redirect(f"{(found or brk).get_absolute_url()}{'?' if query else ''}{query}")


def filters(query: QueryDict) -> str:
    """What the queue was asked, as an address of a break carries it along."""
    return urlencode({name: str(query[name]) for name in (*FILTERS, "order") if query.get(name)})


def _beside(request: HttpRequest, pk: int, *, is_back: bool) -> Break | None:
    """The break before or after one in the order of the queue, also when it does not stand there any more."""
    asked = asked_of(request.GET, known_of(lambda: entered_reconciliations(request)))
    order = ORDERS[order_of(request.GET.get("order", ""), asked.state)]
    if is_back:
        order = replace(order, descends=not order.descends)
    brk = order.sort(visible_breaks(request)).get(pk=pk)
    rows = order.sort(asked_for(visible_breaks(request), asked, request.user.pk))
    return order.after(rows, order.mark(brk)).first()


def next_alike(request: HttpRequest, brk: Break) -> Break | None:
    """The next open break of the same signature by priority, the first one after the last: the same reconciliation and kind, and
    the same reason in the same field."""
    said = Attribution.objects.filter(current=True, difference__current=True, reason_id=brk.reason)
    fields = list(said.filter(difference__brk=brk).values_list("difference__field", flat=True))
    like = shown_breaks(visible_breaks(request)).filter(
        reconciliation=brk.reconciliation_id, kind=brk.kind, reason=brk.reason
    )
    if fields:
        like = like.filter(Exists(said.filter(difference__brk=OuterRef("pk"), difference__field__in=fields)))
    order = ORDERS["priority"]
    others = order.sort(like.exclude(pk=brk.pk))
    return order.after(others, order.mark(brk)).first() or others.first()
