"""Undoing and second opinions in a browser: with script, and without."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from reconciliation.models import Break, Run
from review.decisions import decide
from tests.conftest import row
from tests.review.test_second_opinions import let_model_say, say
from tests.review.test_undoing import later

SignedIn = Callable[..., Page]


@pytest.mark.parametrize("script", [True, False])
def test_a_decision_is_undone_at_once(
    signed_in: SignedIn, reconcile: Callable[..., Run], person: Callable[..., User], faults: list[str], *, script: bool
) -> None:
    reconcile([row("A", "10.00")], [row("A", "-10.00")])
    page = signed_in(person("Analyst"), java_script_enabled=script)
    page.goto(Break.objects.get().get_absolute_url())
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Approve").wait_for()
    assert Break.objects.get().state == "review" and faults == []


def test_later_it_asks_why_and_a_second_opinion_is_blind(
    signed_in: SignedIn, reconcile: Callable[..., Run], person: Callable[..., User], faults: list[str]
) -> None:
    reconcile([row("A", "10.00"), row("B", "5000.00")], [row("A", "-10.00"), row("B", "5007.13")])
    analyst, held = person("Analyst"), Break.objects.get(key="B")
    later(decide(brk=Break.objects.get(key="A"), action="reject", by=analyst))
    let_model_say(held)
    say(held, analyst)
    page = signed_in(person("Supervisor"), viewport={"width": 1600, "height": 900})
    page.goto(Break.objects.get(key="A").get_absolute_url())
    page.locator("#undo summary").click()
    page.get_by_label("Why").fill("the bank was right")
    page.get_by_role("button", name="Undo the decision").click()
    page.get_by_text("the bank was right").wait_for()
    page.get_by_role("link", name="Opinions").first.click()
    page.get_by_role("link", name="Look at amount of B").click()
    assert page.get_by_text("MANUAL_ENTRY_ERR", exact=True).count() == 0
    page.get_by_label("Why does amount differ?").select_option("MANUAL_ENTRY_ERR")
    page.get_by_role("button", name="Give this answer").click()
    page.get_by_text("Thank you.").wait_for()
    assert faults == []
