"""The work list of labels that wait for a second opinion, and the blind form of one."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from attribution.models import SecondOpinion
from ingestion.person import person_of
from review.breaks.explained import shown_field
from review.breaks.shown import visible_break
from review.pages.blind import BadAnswer, blind_context, posted_answer
from review.second_opinions import GIVES, OF_OPINION, OpinionRefused, answer_opinion, open_opinions, visible_opinions
from review.visible import access

SHOWN = 100
RELATED = "correction__difference__brk__last_run__rule_set"


def second_opinions(request: HttpRequest) -> HttpResponse:
    """What waits for the user's opinion, the oldest first."""
    waiting = list(_open(request).order_by("asked_at", "pk")[: SHOWN + 1])
    context = {
        "opinions": [(it, shown_field(it.correction.difference)) for it in waiting[:SHOWN]],
        "more": len(waiting) > SHOWN,
        "gives": request.user.has_perm(GIVES),
    }
    return render(request, "review/second_opinions.html", context)


def _open(request: HttpRequest) -> QuerySet[SecondOpinion]:
    waiting = open_opinions(request.user).filter(access(request).holds(OF_OPINION))
    return waiting.select_related("correction__difference__brk__reconciliation", RELATED)


@permission_required(GIVES, raise_exception=True)
def second_opinion(request: HttpRequest, pk: int) -> HttpResponse:
    """One difference, blind. What is answered or gone by now leads back to the list."""
    opinion = get_object_or_404(visible_opinions(request.user).select_related(RELATED), pk=pk)
    if not open_opinions(request.user).filter(pk=pk).exists():
        messages.info(request, "This label does not wait for your opinion.", extra_tags="bad")
        return redirect("second_opinions")
    return _form(request, opinion)


@require_POST
@permission_required(GIVES, raise_exception=True)
def answer_second_opinion(request: HttpRequest, pk: int) -> HttpResponse:
    """Give one's own reason."""
    opinion = get_object_or_404(visible_opinions(request.user).select_related(RELATED), pk=pk)
    difference = opinion.correction.difference
    try:
        said = posted_answer(request, [difference])
    except BadAnswer as fault:
        if open_opinions(request.user).filter(pk=pk).exists():
            return _form(request, opinion, str(fault))
        return redirect("second_opinions")
    assert said.reasons is not None
    try:
        answer_opinion(opinion=opinion, reason=said.reasons[difference.pk], by=person_of(request), comment=said.comment)
    except OpinionRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
    else:
        messages.success(request, "Thank you. The label counts from now on.", extra_tags="ok")
    return redirect("second_opinions")


def _form(request: HttpRequest, opinion: SecondOpinion, refused: str = "") -> HttpResponse:
    difference = opinion.correction.difference
    context = blind_context(request, visible_break(request, difference.brk_id), [difference])
    url = reverse("answer_second_opinion", args=[opinion.pk])
    return render(request, "review/second_opinion.html", {**context, "blind_url": url, "refused": refused})
