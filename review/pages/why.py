"""What weighed in a model's word on a break, shown on demand."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from attribution.models import Reason
from attribution.why import Why, why
from review.charts import SignedBar, largest, signed_bar
from review.pages.break_ import visible_break

if TYPE_CHECKING:
    from attribution.contributions import Weighed

Line = tuple[str, str, float, SignedBar, float, SignedBar]


@require_safe
def why_page(request: HttpRequest, pk: int) -> HttpResponse:
    """A section for the break's page; a browser that asks for it alone gets a page of its own."""
    brk = visible_break(request, pk)
    functional = dict(Reason.objects.values_list("code", "functional"))
    told = [_told(it, functional) for it in why(brk)]
    template = "review/break/why.html" if request.htmx else "review/why.html"  # type: ignore[attr-defined]
    answer = render(request, template, {"brk": brk, "told": told})
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
