"""One answer to many quarantined rows in the browser: choose, look at what it would do, give it, see each row's result."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from ingestion.person import person_of
from review.bulk_answers.answering import TYPED_FROM, answer_all, check_may
from review.bulk_answers.choosing import UnseenRow, choose_answered, choose_filtered, choose_rows, visible_answers
from review.bulk_answers.summary import summary_of
from review.ids import id_of
from review.models import BulkAnswer
from review.quarantined import FILTERS, Asked, BadFilter
from review.repair_rules import CONFIRMS, REPAIRS, RepairRefused

SHOWN, SHOWN_GROUPS = 100, 50
DONE = {"dismiss": "dismissed", "confirm": "confirmed", "withdraw": "withdrawn"}


@require_POST
@permission_required(REPAIRS, raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """Freeze the checked rows, with `whole` all that the filter lists, or the rows of an earlier `answer`."""
    try:
        answer = _chosen(request)
    except (RepairRefused, BadFilter) as error:
        messages.error(request, str(error), extra_tags="bad")
        filters = {name: value for name in FILTERS if (value := request.POST.get(name))}
        return redirect(f"/quarantine/?{urlencode(filters)}")
    except UnseenRow:
        raise Http404 from None
    return redirect("bulk_answer", answer.pk)


def _chosen(request: HttpRequest) -> BulkAnswer:
    by, given = person_of(request), request.POST
    action = given.get("whole") or given.get("action", "")
    if action not in BulkAnswer.Action.values:
        raise RepairRefused("Say what to do with the rows: dismiss, confirm or withdraw.")
    check_may(action, by)
    if given.get("answer"):
        earlier = get_object_or_404(visible_answers(by), pk=id_of(given["answer"]))
        return choose_answered(action=action, of=earlier, by=by)
    if given.get("whole"):
        return choose_filtered(action=action, asked=Asked.of(given), by=by)
    return choose_rows(action=action, ids=[id_of(str(it)) for it in given.getlist("row")], by=by)


def answer_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What it would do, and the form that gives it; once given, what became of each row."""
    answer = get_object_or_404(visible_answers(person_of(request)), pk=pk)
    if answer.answered_at is None:
        return _preview(request, answer)
    state, after = request.GET.get("state", ""), id_of(request.GET.get("after", ""))
    results = answer.results.select_related("row__normalization__delivery__source", "repair").defer("row__raw")
    if state in ("done", "skipped"):
        results = results.filter(repair__isnull=state == "skipped")
    page = list(results.filter(row__gt=after).order_by("row")[: SHOWN + 1])
    context = {
        "answer": answer,
        "done": DONE[answer.action],
        "rows": page[:SHOWN],
        "state": state,
        "next": page[SHOWN - 1].row_id if len(page) > SHOWN else None,
        **_counts(answer, person_of(request)),
    }
    return render(request, "review/quarantine/answer.html", context)


def _counts(answer: BulkAnswer, by: User) -> dict[str, int]:
    """How many of its dismissals are proposed, and how many the user may confirm or withdraw."""
    standing = Q(repair__withdrawn=False, repair__action="dismiss")
    proposed, mine = standing & Q(repair__confirmed_by=None), Q(repair__proposed_by=by.pk)
    found = answer.results.aggregate(
        all=Count("pk", filter=standing), mine=Count("pk", filter=standing & mine),
        proposed=Count("pk", filter=proposed), of_others=Count("pk", filter=proposed & ~mine),
    )  # fmt: skip
    if by.has_perm(CONFIRMS):
        return {"proposed": found["proposed"], "to_confirm": found["of_others"], "to_withdraw": found["all"]}
    return {"proposed": found["proposed"], "to_confirm": 0, "to_withdraw": found["mine"]}


def _preview(request: HttpRequest, answer: BulkAnswer, refused: str = "") -> HttpResponse:
    summary = summary_of(answer, person_of(request))
    context = {
        "answer": answer,
        "done": DONE[answer.action],
        "summary": summary,
        "groups": summary.groups[:SHOWN_GROUPS],
        "more_groups": max(0, len(summary.groups) - SHOWN_GROUPS),
        "asks_number": answer.rows > TYPED_FROM,
        "comment": request.POST.get("comment", ""),
        "refused": refused,
        "back": f"/quarantine/?{urlencode(answer.filters)}",
    }
    return render(request, "review/quarantine/answer_preview.html", context, status=400 if refused else 200)


@require_POST
@permission_required(REPAIRS, raise_exception=True)
def give(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to every row, once, however often this is sent."""
    by = person_of(request)
    answer = get_object_or_404(visible_answers(by), pk=pk, asked_by=by)
    comment, typed = request.POST.get("comment", ""), request.POST.get("typed", "")
    try:
        answer_all(answer=answer, by=by, comment=comment, count=id_of(typed.replace(",", "").strip()))
    except RepairRefused as error:
        return _preview(request, answer, str(error))
    return redirect("bulk_answer", answer.pk)
