"""Blind audits as pages: a work list, and one record with a person's own reasons for its differences."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from attribution.models import AuditAnswer, Draw
from ingestion.person import person_of
from reconciliation.models import RunInput
from review.audits import ANSWERS, AuditRefused, answer_audit, differences_of, rows_of, told, waiting_for
from review.ids import id_of
from review.pages.blind import CANNOT_TELL, BadAnswer, blind_context, posted_answer
from review.visible import access, entered_reconciliations

PAGE = 50
SETTLED = 20


def blind_audits(request: HttpRequest) -> HttpResponse:
    """What this person may audit, oldest first, and what was settled last. Items of another person's first answer look as
    all others."""
    mine = access(request).holds("brk__", of="run__")
    may = request.user.has_perm(ANSWERS)
    rows = list(_asked(request, mine)[: PAGE + 1]) if may else []
    return render(
        request,
        "review/blind_audits.html",
        {
            "rows": rows[:PAGE],
            "may_answer": may,
            "next": f"after={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
            "waiting": _open(mine).count(),
            "settled": _settled(access(request).holds("draw__brk__")),
        },
    )


def _asked(request: HttpRequest, mine: Q) -> QuerySet[Draw]:
    after = id_of(request.GET.get("after", ""))
    waiting = waiting_for(person_of(request)).filter(mine, pk__gt=after)
    return waiting.select_related("brk", "run__reconciliation")


def _open(mine: Q) -> QuerySet[Draw]:
    """All audits that are not settled, whoever may answer them."""
    settled = AuditAnswer.objects.filter(counts=True, draw=OuterRef("pk"))
    return Draw.objects.filter(mine, purpose=Draw.Purpose.AUDIT).exclude(Exists(settled))


def _settled(mine: Q) -> list[AuditAnswer]:
    said = AuditAnswer.objects.filter(mine, counts=True)
    related = said.select_related("draw__brk", "draw__run__reconciliation", "answered_by")
    return list(related.prefetch_related("reasons__difference").order_by("-answered_at", "-pk")[:SETTLED])


@permission_required(ANSWERS, raise_exception=True)
def blind_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """One record that passed, with nothing of why."""
    return _page(request, _draw(request, pk))


def _draw(request: HttpRequest, pk: int) -> Draw:
    """An audit of what the user may see, settled or not; 404 for whatever else was drawn."""
    inputs = Prefetch("run__inputs", RunInput.objects.select_related("normalization__mapping"))
    audits = Draw.objects.filter(access(request).holds("brk__"), purpose=Draw.Purpose.AUDIT)
    return get_object_or_404(audits.select_related("brk", "run__rule_set").prefetch_related(inputs), pk=pk)


def _page(request: HttpRequest, draw: Draw, refused: str = "") -> HttpResponse:
    if not waiting_for(person_of(request)).filter(pk=draw.pk).exists():
        messages.warning(request, "This audit is settled, or you know the record. Take another one.", extra_tags="warn")
        return redirect("blind_audits")
    differences, brk = differences_of(draw), draw.brk
    by_id = {it.pk: it for it in entered_reconciliations(request)}
    brk.last_run = draw.run
    brk.reconciliation = draw.run.reconciliation = by_id[draw.run.reconciliation_id]
    context: dict[str, Any] = blind_context(request, brk, differences, rows_of(draw))
    url = reverse("answer_audit", args=[draw.pk])
    context |= {"draw": draw, "refused": refused, "blind_url": url, "cannot_tell": CANNOT_TELL}
    return render(request, "review/blind_audit.html", context)


@require_POST
@permission_required(ANSWERS, raise_exception=True)
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the answer, then go on with the next record."""
    draw = _draw(request, pk)
    try:
        reply = posted_answer(request, differences_of(draw), may_pass=True)
        said = answer_audit(draw=draw, by=person_of(request), reasons=reply.reasons, comment=reply.comment)
    except BadAnswer as refused:
        return _page(request, draw, str(refused))
    except AuditRefused as refused:
        messages.error(request, str(refused), extra_tags="bad")
        return redirect("blind_audits")
    messages.success(request, told(said), extra_tags="ok")
    following = waiting_for(person_of(request)).filter(pk__gt=draw.pk).first()
    return redirect("blind_audit", following.pk) if following else redirect("blind_audits")
