"""The queue as people work in it: a query that narrows, a word that there is not, a view saved and opened again, columns and density;
a break held and given to somebody from its preview."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from reconciliation.models import Run
from review.models import SavedView
from tests.conftest import problems, row

SignIn = Callable[..., Page]
LEFT = [row("FX-1", "5.00"), row("FX-2", "700.00"), row("GATE", "5000.00"), row("NONE", "17.31")]
RIGHT = [row("FX-1", "-5.00"), row("FX-2", "-700.00"), row("GATE", "5000.00"), row("NONE", "91.77")]


def _keys(page: Page) -> set[str]:
    return set(page.locator(".qr a.key").all_inner_texts())


def _own(faults: list[str]) -> list[str]:
    """Faults but the refusal that a test asks for."""
    return [it for it in faults if not it.startswith("400 ") and "400 (Bad Request)" not in it]


@pytest.mark.parametrize("script", [True, False])
def test_a_query_narrows_and_an_unknown_word_is_refused_with_words(
    script: bool,
    reconcile: Callable[..., Run],
    signed_in: SignIn,
    person: Callable[..., User],
    faults: list[str],  # noqa: FBT001
) -> None:
    reconcile(LEFT, RIGHT)
    page = signed_in(person("Analyst"), java_script_enabled=script, viewport={"width": 1280, "height": 900})
    page.goto("/queue/")
    assert _keys(page) == {"FX-1", "FX-2", "GATE", "NONE"}
    page.get_by_label("Query").fill("reason:SIGN_FLIP amount>10")
    page.click("#ask >> text=Search")
    assert _keys(page) == {"FX-2"}
    page.click(".facets >> text=UNKNOWN >> nth=0")
    assert page.get_by_label("Query").input_value() == "reason:UNKNOWN amount>10" and _keys(page) == {"NONE"}
    page.click(".token:has-text('reason:UNKNOWN')")
    assert _keys(page) == {"FX-2", "GATE", "NONE"}
    page.get_by_label("Query").fill("reson:UNKNOWN amount>100")
    page.click("#ask >> text=Search")
    box = page.get_by_label("Query")
    expect(page.locator("#refused")).to_contain_text("There is no word 'reson'. Did you mean reason?")
    expect(box).to_have_value("reson:UNKNOWN amount>100")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator("main")).to_contain_text("Nothing is listed until the query can be read.")
    assert _keys(page) == set() and _own(faults) == []


def test_a_view_is_saved_opened_again_and_deleted(
    reconcile: Callable[..., Run], signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    reconcile(LEFT, RIGHT)
    page = signed_in(person("Analyst"), java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page.goto("/queue/?q=reason:SIGN_FLIP&order=amount")
    page.click("summary:text('Save view')")
    page.get_by_label("Name").fill("Turned signs")
    page.get_by_label("Open the queue with it").check()
    page.click(".keep[open] >> button:text('Save')")
    expect(page.locator(".facets a[aria-current] >> text=Turned signs")).to_be_visible()
    page.goto("/queue/?q=kind:gate")
    assert _keys(page) == {"GATE"}
    page.click(".facets >> text=Turned signs")
    assert page.locator(".qr a.key").all_inner_texts() == ["FX-2", "FX-1"]
    page.goto("/queue/")
    expect(page.get_by_label("Query")).to_have_value("reason:SIGN_FLIP")
    page.click("text=Manage views")
    page.click("summary:text('Change')")
    page.locator(".view-form").get_by_label("Name").fill("Signs")
    page.click("text=Save changes")
    page.click("text=Delete")
    expect(page.locator(".notice.ok")).to_have_text("The view Signs is deleted.")
    assert not SavedView.objects.exists() and faults == []


def test_columns_and_density_stay_with_a_person(
    reconcile: Callable[..., Run], signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    reconcile(LEFT, RIGHT)
    ann = person("Analyst")
    page = signed_in(ann, java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page.goto("/queue/?q=FX")
    page.click("summary:text('Columns')")
    page.get_by_label("Confidence").uncheck()
    page.get_by_label("Run", exact=True).check()
    page.click("button:text('Show')")
    assert _keys(page) == {"FX-1", "FX-2"}
    page.goto("/preferences/")
    page.select_option("select[name=density]", "compact")
    page.click("main >> form:has(select) >> button")
    other = signed_in(ann, viewport={"width": 1280, "height": 900})
    other.goto("/queue/")
    expect(other.locator(".qr.h")).to_contain_text("Run")
    expect(other.locator(".qr.h")).not_to_contain_text("Confidence")
    rows = other.locator(".qr:not(.h)")
    for place in range(rows.count()):
        box = rows.nth(place).bounding_box()
        assert box is not None and 24 <= box["height"] <= 36
    assert faults == []


def test_a_break_is_given_to_somebody_and_put_on_hold_from_the_queue(
    reconcile: Callable[..., Run], signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    reconcile(LEFT, RIGHT)
    page = signed_in(person("Supervisor"), viewport={"width": 1440, "height": 900})
    page.goto("/queue/?q=FX-2")
    page.wait_for_load_state("networkidle")
    page.click("#preview >> text=Assign to me")
    expect(page.locator("#preview")).to_contain_text("Yours")
    page.goto("/queue/?q=assigned:me")
    page.wait_for_load_state("networkidle")
    assert _keys(page) == {"FX-2"}
    page.click("#preview >> summary:text('Put on hold')")
    page.get_by_label("Until", exact=True).fill((dt.datetime.now(dt.UTC).date() + dt.timedelta(days=3)).isoformat())
    page.get_by_label("Why it waits").fill("The bank was asked.")
    page.click("#preview >> button:text('Put on hold')")
    expect(page.locator("#preview")).to_contain_text("On hold until")
    page.goto("/queue/?q=held:yes")
    assert _keys(page) == {"FX-2"}
    expect(page.locator(".qr .proof")).to_contain_text("The bank was asked.")
    page.goto("/queue/")
    assert "FX-2" not in _keys(page)
    assert problems() == [] and faults == []
