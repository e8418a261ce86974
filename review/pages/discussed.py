"""What is said of a break: its comments on the page, saying something, taking it back, and names that complete an `@`."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from ingestion.person import person_of
from reconciliation.models import Break
from review.audit_events import READS
from review.breaks.facts import comments_listed
from review.comments import NAME, WITHDRAWS, WRITES, CommentRefused, add_comment, people_who_see, withdraw_comment
from review.ids import id_of
from review.listed import moment
from review.models import Comment
from review.models.comment import LONGEST
from review.visible import visible_breaks

PART = "review/break/comments.html"


@dataclass(frozen=True)
class Said:
    """A comment as a user sees it: `words` are safe, empty where it was withdrawn and the user does not read the audit log."""

    id: int
    written_by: str
    written_at: dt.datetime
    corrects: int | None
    corrected_by: int | None
    withdrawn_by: str | None
    withdrawn_at: dt.datetime | None
    text: str
    words: SafeString
    may_correct: bool
    may_withdraw: bool


def comments_context(request: HttpRequest, comments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `review/break/comments.html` shows, from the comments as `comments_listed` brings them."""
    return {
        "comments": [_said(request, it) for it in comments],
        "may_comment": request.user.has_perm(WRITES),
        "longest_comment": LONGEST,
    }


def _said(request: HttpRequest, it: Mapping[str, Any]) -> Said:
    user, is_withdrawn = request.user, it["withdrawn_at"] is not None
    is_own, writes = it["author"] == user.pk, user.has_perm(WRITES)
    is_seen = not is_withdrawn or user.has_perm(READS)
    text = it["text"] if is_seen else ""
    return Said(
        it["id"], it["written_by"], moment(it["written_at"]), it["corrects"], it["corrected_by"], it["withdrawn_by"],
        moment(it["withdrawn_at"]) if is_withdrawn else None, text, _marked(text, it["mentions"]),
        may_correct=is_own and writes and not is_withdrawn and it["corrected_by"] is None,
        may_withdraw=writes and not is_withdrawn and (is_own or user.has_perm(WITHDRAWS)),
    )  # fmt: skip


def _marked(text: str, called: Sequence[str]) -> SafeString:
    """The text with the names of who was called marked; everything else as it was written."""
    names = {name.lower() for name in called}
    parts, end = [], 0
    for found in NAME.finditer(text):
        name = found[1].rstrip(".-+")
        if name.lower() in names:
            parts += [("", text[end : found.start()]), ("at", f"@{name}")]
            end = found.start() + 1 + len(name)
    parts.append(("", text[end:]))
    marked = '<span class="at">{}</span>'
    return format_html_join("", "{}", ((format_html(marked, it) if kind else it,) for kind, it in parts))


@require_POST
@permission_required(WRITES, raise_exception=True)
def comment_on_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something about a break, or correct one's own comment."""
    brk = get_object_or_404(visible_breaks(request).select_related("reconciliation"), pk=pk)
    text, corrects = request.POST.get("text", ""), request.POST.get("corrects", "")
    try:
        corrected = get_object_or_404(Comment, pk=id_of(corrects), brk=brk) if corrects else None
        add_comment(brk=brk, by=person_of(request), text=text, corrects=corrected)
    except CommentRefused as error:
        return _answer(request, brk, {"comment_refused": str(error), "draft": text, "correcting": id_of(corrects)})
    return _answer(request, brk, {})


@require_POST
@permission_required(WRITES, raise_exception=True)
def take_comment_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a comment."""
    found = Comment.objects.filter(brk__in=visible_breaks(request)).select_related("brk__reconciliation")
    comment = get_object_or_404(found, pk=pk)
    try:
        withdraw_comment(comment=comment, by=person_of(request))
    except CommentRefused as error:
        return _answer(request, comment.brk, {"comment_refused": str(error)})
    return _answer(request, comment.brk, {})


@require_safe
@permission_required(WRITES, raise_exception=True)
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Names for the beginning after the last `@` of a text: of people who may see the break, and of nobody else."""
    brk = get_object_or_404(visible_breaks(request).select_related("reconciliation"), pk=pk)
    text = request.GET.get("text", "")[-LONGEST:].replace("\0", "")
    _, at, beginning = text.rpartition("@")
    names = people_who_see(brk, beginning) if at and NAME.fullmatch(f"@{beginning}") else []
    return render(request, "review/break/names.html", {"names": names, "beginning": beginning})


def _answer(request: HttpRequest, brk: Break, more: dict[str, Any]) -> HttpResponse:
    """The comments anew; where one was refused, with the sentence beside the field and the text still in it."""
    if not more and not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{brk.get_absolute_url()}#comments")
    said = Break.objects.filter(pk=brk.pk).values_list(comments_listed(), flat=True).get()
    context = {"brk": brk, **comments_context(request, said), **more}
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, PART, context)
    place = {"part": PART, "place": "said", "title": "Comments on"}
    return render(request, "review/break_part.html", {**context, **place}, status=400)
