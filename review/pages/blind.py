"""The blind form: differences as they came, and a person's own reason for each. Nothing that was said of them is shown, neither
a reason nor a confidence, proof, check or another person's answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from attribution.corrections import NO_LABEL
from attribution.models import Reason
from reconciliation.models import Break, Difference, Member
from review.breaks.comparison import comparison
from review.breaks.explained import shown_field
from review.nul import NO_NUL
from review.pages.posted import holds_nul

CANNOT_TELL = "cannot_tell"
REASON = "reason:"  # a form's choice of a difference's reason is called so, then the difference's id


class BadAnswer(ValueError):
    """A form that cannot be taken; the sentence says what is missing. Nothing was written."""


@dataclass(frozen=True)
class Reply:
    """What a person said: a reason by difference id, None from who cannot tell, and a comment."""

    reasons: Mapping[int, str] | None
    comment: str


@dataclass(frozen=True)
class Asked:
    """A difference that a form asks about: the input's name, the field as people read it, and what was chosen before."""

    name: str
    shown: str
    chosen: str


def blind_context(
    request: HttpRequest, brk: Break, differences: Sequence[Difference], stood: Sequence[Member] | None = None
) -> dict[str, Any]:
    """What `review/blind_form.html` shows, beside `blind_url` where it posts to. What was posted is still chosen. `stood`: the
    rows as they stood when these were all of the differences; without them, the rows and differences of now."""
    if stood is None:
        members = list(brk.members.filter(current=True).order_by("side", "position"))
        wrong = set(brk.differences.filter(current=True).values_list("field", flat=True))
    else:
        members, wrong = list(stood), {it.field for it in differences}
    chosen = request.POST
    return {
        "brk": brk,
        "rows": members,
        "compared": comparison(brk, members, wrong),
        "asked": [Asked(name := _name(it), shown_field(it), chosen.get(name, "")) for it in differences],
        "blind_reasons": answers().values_list("code", "label"),
        "comment": chosen.get("comment", ""),
    }


def answers() -> QuerySet[Reason]:
    """The reasons that an answer may name, by code: no order that would speak for one."""
    return Reason.objects.filter(active=True).exclude(code__in=NO_LABEL).order_by("code")


def posted_answer(request: HttpRequest, differences: Sequence[Difference], *, may_pass: bool = False) -> Reply:
    """What the form posted; BadAnswer where a difference has no reason that is in use. `may_pass`: one may say that one cannot
    tell."""
    if holds_nul(request):
        raise BadAnswer(NO_NUL)
    comment = request.POST.get("comment", "").strip()
    if may_pass and CANNOT_TELL in request.POST:
        return Reply(None, comment)
    known = set(answers().values_list("code", flat=True))
    said = {it: request.POST.get(_name(it), "") for it in differences}
    for difference, reason in said.items():
        if not reason:
            other = "says so" if may_pass else "leaves it to another person"
            raise BadAnswer(f"Choose a reason for {shown_field(difference)}. Who cannot tell {other}.")
        if reason not in known:
            raise BadAnswer(f"There is no active reason {reason!r}. Choose one of the list.")
    return Reply({it.pk: reason for it, reason in said.items()}, comment)


def _name(difference: Difference) -> str:
    return f"{REASON}{difference.pk}"
