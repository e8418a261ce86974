"""What explains a break beyond its page, shown on demand: what weighed in a model's word, and what became of similar ones."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from attribution.models import Reason
from attribution.why import Why, why
from reconciliation.models import Break
from review.breaks.shown import visible_break
from review.charts import SignedBar, largest, signed_bar
from review.similar import similar_breaks
from review.visible import access

if TYPE_CHECKING:
    from attribution.contributions import Weighed

Line = tuple[str, str, float, SignedBar, float, SignedBar]


@require_safe
def why_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What weighed in the word of the model."""
    brk = visible_break(request, pk)
    functional = dict(Reason.objects.values_list("code", "functional"))
    return part_of(request, brk, "why", "Why", {"told": [_told(it, functional) for it in why(brk)]})


@require_safe
def similar_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What people decided of breaks like this one."""
    brk = visible_break(request, pk)
    found = similar_breaks(brk, access(request))
    lonely = [it for it in found if not it.past]
    return part_of(request, brk, "similar", "Similar to", {"similar": found, "lonely": lonely})


def part_of(request: HttpRequest, brk: Break, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
    """A part of the break's page; a browser that asks for it alone gets a page of its own."""
    part = f"review/break/{name}.html"
    template = part if request.htmx else "review/break_part.html"  # type: ignore[attr-defined]
    answer = render(request, template, {"brk": brk, "part": part, "place": name, "title": title, **context})
    answer["Vary"] = "HX-Request"
    return answer


def _told(it: Why, functional: dict[str, bool | None]) -> dict[str, Any]:
    if it.weighed is None:
        return {"why": it}
    return {
        "why": it,
        "functional": functional.get(it.weighed.reason),
        "functional_other": functional.get(it.weighed.runner_up),
        "lines": _lines(it.weighed),
    }


def _lines(weighed: "Weighed") -> list[Line]:
    lines = list(weighed.lines())
    most = largest([value for it in lines for value in (it.toward, it.rather)])
    return [
        (it.feature, it.value, it.toward, signed_bar(it.toward, most), it.rather, signed_bar(it.rather, most))
        for it in lines
    ]
