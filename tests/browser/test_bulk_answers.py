"""Many quarantined rows as people answer them: check some, or take all that match; with a script and without."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from ingestion.models import Normalization, QuarantinedRow, Repair
from reconciliation.models import Reconciliation
from tests.conftest import HEADER, problems

SignIn = Callable[..., Page]
ROWS = 103


@pytest.fixture
def broken(committed: None, trades: Reconciliation, deliver: Callable[..., Normalization]) -> None:  # noqa: F811
    """Rows of too few cells, more than a page holds."""
    deliver("left", "\n".join([HEADER, *(f"K{n},5.00" for n in range(ROWS))]) + "\n")


def test_checked_rows_are_dismissed_together(
    broken: None, signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(person("Analyst"), viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page.goto("/quarantine/")
    boxes = page.locator("td > .tick")
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("#checked")).to_have_text("3 checked")
    page.click("text=Dismiss checked")
    expect(page.locator("h1")).to_have_text("Dismiss 3 rows")
    page.fill("textarea[name=comment]", "the desk's rule of dashes")
    page.dblclick("button:text('Dismiss 3 rows')")
    expect(page.locator("h1")).to_have_text("3 rows dismissed")
    assert Repair.objects.count() == 3 and problems() == [] and faults == []


def test_all_that_match_are_dismissed_and_withdrawn_without_a_script(
    broken: None, signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(person("Supervisor"), java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto("/quarantine/")
    page.click("text=It has n cells where n were expected.")
    page.click(f"text=Dismiss all {ROWS} that match")
    expect(page.locator("main")).to_contain_text("It has n cells where n were expected.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.fill("textarea[name=comment]", "no records of ours")
    page.fill("input[name=typed]", "12")
    page.click(f"button:text('Dismiss {ROWS} rows')")
    expect(page.locator(".notice.bad")).to_contain_text(f"Type the number {ROWS}")
    page.fill("input[name=typed]", str(ROWS))
    page.click(f"button:text('Dismiss {ROWS} rows')")
    expect(page.locator("h1")).to_have_text(f"{ROWS} rows dismissed")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click(f"text=Withdraw {ROWS}")
    page.fill("input[name=typed]", str(ROWS))
    page.click(f"button:text('Withdraw {ROWS} rows')")
    expect(page.locator("h1")).to_have_text(f"{ROWS} rows withdrawn")
    assert not Repair.objects.filter(withdrawn=False).exists() and QuarantinedRow.objects.count() == ROWS
    assert problems() == [] and [it for it in faults if not it.startswith("400 ") and "400 (Bad" not in it] == []
