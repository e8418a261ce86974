"""The queue: what waits for a person, under a query, with counts and keyset paging."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from ingestion.person import person_of
from ingestion.prepared import prepared
from reconciliation.holds import return_due
from reconciliation.models import Break
from review.columns import COLUMNS
from review.counting import Counts, count_breaks, is_open
from review.due import DUE, NEVER
from review.ordering import ORDERS, order_of, orders_of
from review.pages.facets import ASSIGNED, facet, tabs
from review.pages.queue_look import Look, look_of
from review.pages.queue_rows import Looked, rows, with_line
from review.query import WORDS, Asked, BadQuery, asked_of, check_address, known_of
from review.query.apply import asked_for
from review.query.words import ALL, BANDS
from review.rights import DECIDES
from review.visible import access, entered_reconciliations, visible_breaks

PAGE = 50
# Words that ask for the same whoever asks, and whenever.
OF_VALUES = frozenset(("state", "kind", "reason", "band", "reconciliation", "source"))


def queue(request: HttpRequest) -> HttpResponse:
    """Breaks as the query asks for them, in an order; a query that cannot be read lists nothing and says why."""
    return_due(timezone.now())
    look = look_of(person_of(request))
    if not request.GET and (first := look.first) is not None:
        return redirect(f"{reverse('queue')}?{first.address}")
    known = {**known_of(lambda: entered_reconciliations(request)), "reason": lambda: ["", *look.reasons]}
    try:
        check_address(request.GET)
        asked, refused = asked_of(request.GET, known), ""
    except BadQuery as error:
        asked, refused = Asked(), str(error)
    opened = look.opened(request.GET.get("view", ""))
    columns = (opened.columns if opened else ()) or look.columns
    listing = _listing(request, asked, look, columns, is_refused=bool(refused))
    typed = request.GET.get("q", "") if refused else asked.text
    context = {
        **listing, "refused": refused, "typed": typed, "words": WORDS.values(), "look": look, "opened": opened,
        "columns": columns, "titles": COLUMNS, "back": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "review/queue.html", context, status=400 if refused else 200)


def _listing(
    request: HttpRequest, asked: Asked, look: Look, columns: tuple[str, ...], *, is_refused: bool
) -> dict[str, Any]:
    counts = count_breaks(request, asked)
    name = order_of(request.GET.get("order", ""), asked.state)
    order, given = ORDERS[name], request.GET.get("order", "")
    breaks = [] if is_refused else _page(request, asked, name)
    by_id = {it.pk: it for it in entered_reconciliations(request)}
    looked = Looked(request.user.pk, columns, asked.query(given), picks=request.user.has_perm(DECIDES))
    context: dict[str, Any] = {
        "rows": rows(breaks[:PAGE], by_id, looked),
        "facets": _facets(request, counts, asked, look.reasons),
        "tabs": tabs(counts, asked, given),
        "order": given,
        "total": None if counts.is_bounded else counts.total,
        "told": counts.told,
        "asked": looked.asked,
        "tokens": [
            {"text": it.text, "query": Asked(tuple(other for other in asked.terms if other is not it)).query(given)}
            for it in asked.terms
        ],
        "orders": [
            {"title": it.title, "is_on": key == name, "query": asked.query(key)}
            for key, it in orders_of(asked.state).items()
        ],
        "next": f"{asked.query(given)}&after={order.mark(breaks[PAGE - 1])}" if len(breaks) > PAGE else "",
    }
    if is_refused:
        return context | {"empty": "Nothing is listed until the query can be read.", "total": 0, "told": "0"}
    return context if breaks else context | _emptiness(asked, given, counts)


def _page(request: HttpRequest, asked: Asked, name: str) -> list[Break]:
    """The breaks of a page, one more than it shows."""
    order, after = ORDERS[name], request.GET.get("after", "")

    def found() -> QuerySet[Break]:
        listed = order.sort(asked_for(visible_breaks(request), asked, request.user.pk))
        return with_line(order.after(listed, after) if after else listed)[: PAGE + 1]

    if after or not OF_VALUES.issuperset(it.word for it in asked.terms):
        return list(found())
    return prepared(("queue", access(request), asked, name), found)


def _emptiness(asked: Asked, order: str, counts: Counts) -> dict[str, str]:
    """Why nothing is shown, and the one thing to do about it."""
    if filters := [it for it in asked.terms if it.word != "state"]:
        what = " ".join(it.text for it in filters)
        if asked.state and (elsewhere := _elsewhere(counts)) is not None:
            every = asked.having("state", ALL).query(order)
            told = f"No break in this state matches {what}{elsewhere}."
            return {"empty": told, "remedy": "Look in every state", "remedy_query": every}
        state = next((it for it in asked.terms if it.word == "state"), None)
        cleared = Asked((state,) if state else ())
        return {"empty": f"No break matches {what}.", "remedy": "Clear the query", "remedy_query": cleared.query(order)}
    if asked.state == Break.State.REVIEW:
        return {"empty": "Nothing waits for a person."}
    return {"empty": "No break stands here.", "remedy": "Show all states", "remedy_query": "q=state:all"}


def _elsewhere(counts: Counts) -> str | None:
    """How many breaks of other states match, as far as they were counted; nothing where none does."""
    if counts.is_bounded or counts.of_one_state:
        return ""
    found = counts.of("state").total()
    return f"; {found:,} in other states {'does' if found == 1 else 'do'}" if found else None


def _facets(
    request: HttpRequest, counts: Counts, asked: Asked, functional: Mapping[str, bool | None]
) -> list[dict[str, Any]]:
    titles = {it.code: it.title for it in entered_reconciliations(request)}
    order = request.GET.get("order", "")
    reasons = facet("Reason", "reason", counts, asked, order, {})
    for option in reasons["options"]:
        option["functional"] = functional.get(option["value"])
    due = facet("Due", "due", counts, asked, order, DUE)
    return [
        facet("Kind", "kind", counts, asked, order, dict(Break.Kind.choices)),
        reasons,
        facet("Band", "band", counts, asked, order, BANDS),
        *([due] if is_open(asked) and {it["value"] for it in due["options"]} - {NEVER} else []),
        facet("Assigned", "assigned", counts, asked, order, ASSIGNED),
        facet("Reconciliation", "reconciliation", counts, asked, order, titles),
    ]
