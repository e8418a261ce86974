"""What the page of a break is asked about who looks after it, and when."""

import datetime as dt

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from review.assigning import AssignRefused, assign, deciders, person_called
from review.decisions import DecisionRefused
from review.holding import HoldRefused, hold, release
from review.pages.break_ import answer, visible_break
from review.pages.why import part_of


@require_http_methods(["GET", "POST"])
@permission_required("review.add_decision", raise_exception=True)
def assign_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to a person, to oneself, or to nobody; asked for, the people to whom it can be given."""
    brk = visible_break(request, pk)
    if request.method == "GET":
        people = deciders([brk.reconciliation]).values_list("username", flat=True)
        return part_of(request, brk, "people", "Assign", {"people": people})
    assert isinstance(request.user, User)
    try:
        assign(brk=brk, to=person_called(request.POST.get("assignee", ""), request.user), by=request.user)
    except AssignRefused as refused:
        return answer(request, brk, str(refused))
    return answer(request, brk, "")


@require_POST
@permission_required("review.add_decision", raise_exception=True)
def hold_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Put it on hold until a day, or until a party answers."""
    brk, given = visible_break(request, pk), request.POST
    assert isinstance(request.user, User)
    try:
        until = _day(given.get("until", ""))
        hold(brk=brk, by=request.user, until=until, party=given.get("party", ""), note=given.get("note", ""))
    except DecisionRefused as refused:
        return answer(request, brk, str(refused))
    return answer(request, brk, "")


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise HoldRefused(f"{text[:20]!r} is no day such as 2026-12-03.") from None


@require_POST
@permission_required("review.add_decision", raise_exception=True)
def release_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it off hold."""
    brk = visible_break(request, pk)
    assert isinstance(request.user, User)
    try:
        release(brk=brk, by=request.user)
    except DecisionRefused as refused:
        return answer(request, brk, str(refused))
    return answer(request, brk, "")
