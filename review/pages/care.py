"""What the page of a break is asked about who looks after it."""

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from review.assigning import AssignRefused, assign, deciders, person_called
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
