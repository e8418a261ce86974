"""A day's work in the admin alone: hand in files, follow the run to its end, decide what waits in the list."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from config.pipeline import run_to_end
from ingestion.models import Delivery
from reconciliation.models import Break, Run
from review.decisions import decide
from tests.browser.test_pages import choose, staff
from tests.conftest import HEADER, problems, row

LEFT = "\n".join([HEADER, row("A", "5.00"), row("B", "7.00"), "C,short"]) + "\n"
RIGHT = "\n".join([HEADER, row("A", "-5.00"), row("B", "-7.00")]) + "\n"


def test_the_list_of_breaks_fits_a_page_of_1280(
    reconcile: Callable[..., Run], signed_in: Callable[..., Page], person: Callable[..., User]
) -> None:
    keys = [f"FX-2026-11-20-{n:06}" for n in range(4)]
    left = [row(keys[0], "500.00"), row(keys[1]), row(keys[1]), row(keys[2], "17.31"), row(keys[3], "12.34")]
    reconcile(left, [row(keys[0], "-500.00"), row(keys[2], "91.77"), row(keys[3], "12.43")])
    page = signed_in(staff(person, "Manager"), viewport={"width": 1280, "height": 800})
    page.goto("/admin/reconciliation/break/")
    expect(page.locator("#result_list tbody tr")).to_have_count(4)
    widths = "it => [it.scrollWidth, it.clientWidth, document.documentElement.scrollWidth]"
    needed, there, whole = page.locator("#changelist .results").evaluate(widths)
    assert needed <= there and whole <= 1280


@pytest.mark.usefixtures("trades")
def test_files_are_handed_in_a_run_is_followed_and_a_break_decided(
    signed_in: Callable[..., Page], person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    page = signed_in(staff(person, "Supervisor"), reduced_motion="reduce")
    _hand_in_two(page, tmp_path)
    (tmp_path / "right.csv").write_text(RIGHT, encoding="utf-8")
    choose(page, "/admin/upload/", tmp_path / "right.csv", source="right")
    page.click("button:text('Accept')")
    expect(page.locator("body")).to_contain_text("was accepted")
    _follow(page)
    _decide(page)
    assert faults == [] and problems() == []


def _hand_in_two(page: Page, folder: Path) -> None:
    """Two files at once, each with its bar, its hash and its preview; one is accepted, one discarded."""
    texts = {"left.csv": LEFT, "again.csv": LEFT + "D,short\n"}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    choose(page, "/admin/upload/", *(folder / name for name in texts))
    lines = page.locator(".files li", has_text="Look at")
    expect(lines).to_have_count(2)
    for line, text in zip(lines.all(), texts.values(), strict=True):
        expect(line.locator(".hash")).to_have_text(hashlib.sha256(text.encode()).hexdigest())
        assert line.locator("progress").evaluate("it => it.value") == 1
    page.reload()  # they are still there
    page.click("text=Look at again.csv")
    page.click("button:text('Discard')")
    page.click("text=Look at left.csv")
    expect(page.locator("#dry-run tbody tr").first).to_contain_text("nothing was delivered before")
    assert not Delivery.objects.exists()
    page.click("button:text('Accept')")
    page.wait_for_url("**/delivery/**")


def _follow(page: Page) -> None:
    page.goto("/admin/reconciliation/run/")
    page.fill("input[name=date]", "2026-11-20")
    page.click("text=Start a run")
    expect(page.locator("#progress")).to_contain_text("Running: 0 of 2 steps done")
    page.reload()  # and it goes on being followed
    run_to_end(Run.objects.get())
    expect(page.locator("#progress")).to_contain_text("Done.")
    expect(page.locator("#progress[hx-get]")).to_have_count(0)


def _decide(page: Page) -> None:
    page.click("text=Breaks of it that wait")
    page.click("[aria-label='Approve A']")
    expect(page.locator("#result_list [role=status]")).to_contain_text("Approved by supervisor.")
    decide(brk=Break.objects.get(key="B"), action="reject", by=User.objects.create_superuser("elsewhere"))
    page.click("[aria-label='Approve B']")
    expect(page.locator("#result_list [role=alert]")).to_contain_text("was decided already by elsewhere")
