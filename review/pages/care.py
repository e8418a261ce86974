"""What the page of a break is asked about who looks after it, and when."""

from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from ingestion.person import person_of
from reconciliation.models import Break
from review.assigning import assign, deciders_of, person_called
from review.breaks.shown import visible_break
from review.decisions import DecisionRefused
from review.holding import day_of, hold, release
from review.pages.break_ import answer
from review.pages.why import part_of
from review.rights import DECIDES


@require_http_methods(["GET", "POST"])
@permission_required(DECIDES, raise_exception=True)
def assign_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to a person, to oneself, or to nobody; asked for, the people to whom it can be given."""
    brk = visible_break(request, pk)
    if request.method == "GET":
        people = deciders_of(brk).values_list("username", flat=True)
        return part_of(request, brk, "people", "Assign", {"people": people})
    by, name = person_of(request), request.POST.get("assignee", "")
    said = f"given to {name.strip()}" if name.strip() else "given to nobody"
    return _done(request, brk, lambda: assign(brk=brk, to=person_called(name, by), by=by), said)


@require_POST
@permission_required(DECIDES, raise_exception=True)
def hold_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Put it on hold until a day, or until a party answers."""
    brk, given = visible_break(request, pk), request.POST
    by, more = person_of(request), {name: given.get(name, "") for name in ("party", "note")}
    return _done(
        request, brk, lambda: hold(brk=brk, by=by, until=day_of(given.get("until", "")), **more), "put on hold"
    )


@require_POST
@permission_required(DECIDES, raise_exception=True)
def release_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it off hold."""
    brk = visible_break(request, pk)
    by = person_of(request)
    return _done(request, brk, lambda: release(brk=brk, by=by), "taken off hold")


def _done(request: HttpRequest, brk: Break, act: Callable[[], object], said: str) -> HttpResponse:
    """The break after it was done, with what is said of it then, or with what refused it."""
    try:
        act()
    except DecisionRefused as refused:
        return answer(request, brk, str(refused))
    return answer(request, brk, "", said=said)
