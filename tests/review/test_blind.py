"""The blind form shows a difference as it came, and takes a person's own reason."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import RequestFactory

from attribution.models import Attribution, Reason
from reconciliation.models import Break, Difference, Run
from review.pages.blind import BadAnswer, Reply, blind_context, posted_answer
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """A turned sign of an amount."""
    return standing([row("A", "10.00")], [row("A", "-10.00")])


@pytest.fixture
def difference(made: Run, db: None) -> Difference:
    """The one difference."""
    return Difference.objects.get()


def posted(**given: str) -> HttpRequest:
    """A form as a browser sends it."""
    request = RequestFactory().post("/", given)
    request.user = AnonymousUser()
    return request


def test_a_form_shows_the_values_and_nothing_that_was_said(difference: Difference) -> None:
    brk = Break.objects.get()
    context = blind_context(RequestFactory().get("/"), brk, [difference])
    page = render_to_string("review/blind_form.html", context | {"blind_url": "/answer/"})
    assert (
        "10.00<" in page.replace("</mark>", "")
        and 'action="/answer/"' in page
        and f'name="reason:{difference.pk}"' in page
    )
    said = Attribution.objects.get()
    assert said.reason_id == "SIGN_FLIP" and said.proof and said.proof not in page
    assert "selected" not in page and "%" not in page
    assert "UNKNOWN" not in page and "PENDING_INVESTIGATION" not in page


def test_an_answer_names_a_reason_that_is_in_use(difference: Difference) -> None:
    Reason.objects.filter(code="FX_VARIANCE").update(active=False)
    name = f"reason:{difference.pk}"
    for given, fault in (
        ({}, "Choose a reason for amount."),
        ({name: "NO_SUCH"}, "There is no active reason 'NO_SUCH'."),
        ({name: "UNKNOWN"}, "There is no active reason 'UNKNOWN'."),
        ({name: "FX_VARIANCE"}, "There is no active reason 'FX_VARIANCE'."),
        ({name: "SIGN_FLIP", "comment": "a\0b"}, "NUL"),
    ):
        with pytest.raises(BadAnswer) as refused:
            posted_answer(posted(**given), [difference])
        assert fault in str(refused.value)
    given = posted(**{name: "SIGN_FLIP", "comment": " seen "})
    assert posted_answer(given, [difference]) == Reply({difference.pk: "SIGN_FLIP"}, "seen")
    context = blind_context(given, Break.objects.get(), [difference])
    assert [it.chosen for it in context["asked"]] == ["SIGN_FLIP"]
