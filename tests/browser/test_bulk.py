"""Bulk decisions as people meet them: check rows, look, decide, follow, undo; with a script and without."""

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connections
from playwright.sync_api import Page, expect

from reconciliation.models import Break, Run
from review.bulk.working import work_on
from review.models import BulkDecision
from tests.conftest import problems, row

SignIn = Callable[..., Page]


@pytest.fixture
def worker(committed: None) -> Iterator[None]:  # noqa: F811
    """Somebody who carries out what is asked for, as long as the test runs."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.2):
            for bulk in BulkDecision.objects.filter(state="ready"):
                work_on(bulk)
        connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def states() -> dict[str, str]:
    """Where each break stands."""
    return dict(Break.objects.order_by("key").values_list("key", "state"))


def test_rows_are_checked_decided_and_undone(
    reconcile: Callable[..., Run], worker: None, signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    keys = [f"K{n}" for n in range(4)]
    reconcile([row(it, "5.00") for it in keys], [row(it, "-5.00") for it in keys])
    page = signed_in(person("Analyst"), viewport={"width": 1440, "height": 900})
    page.goto("/queue/?order=newest")
    page.wait_for_load_state("networkidle")  # what overtakes another request, or leaves it behind, is told as a fault
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#checked")).to_have_text("1 checked")
    page.get_by_label("Check K0").click(modifiers=["Shift"])  # the newest stands first: from K2 to K0
    expect(page.locator("#checked")).to_have_text("3 checked")
    expect(page.locator("#preview h2").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.click("text=Decide checked")
    expect(page.locator("h1")).to_have_text("Decide 3 breaks")
    expect(page.locator("main")).to_contain_text("15.00")
    page.check("input[value=override]")
    page.click("button:text('Decide 3 breaks')")
    expect(page.locator(".notice.bad")).to_contain_text("An override gives a reason")
    page.select_option("select[name=reason]", "MANUAL_ENTRY_ERR")
    page.fill("textarea[name=comment]", "the bank turned them")
    page.dblclick("button:text('Decide 3 breaks')")
    expect(page.locator(".bulk-progress")).to_contain_text(re.compile("3 done"))  # htmx brings it, without a reload
    expect(page.locator("#whole")).to_contain_text("Overridden as MANUAL_ENTRY_ERR")
    assert list(states().values()) == ["approved"] * 3 + ["review"] and BulkDecision.objects.count() == 1
    page.click("text=Undo all 3")
    expect(page.locator(".bulk-progress")).to_contain_text(re.compile("3 undone"))
    assert set(states().values()) == {"review"} and problems() == []
    assert [it for it in faults if not it.startswith("400 ") and "400 (Bad Request)" not in it] == []


def test_a_whole_filter_without_a_script(
    reconcile: Callable[..., Run], worker: None, signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    reconcile([row("A", "5.00"), row("B", "7.00"), row("C", "8.00")], [row("A", "-5.00"), row("B", "-7.00")])
    page = signed_in(person("Supervisor"), java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.goto("/queue/?reason=SIGN_FLIP")
    page.click("text=Decide all 2 listed")
    expect(page.locator("h1")).to_have_text("Decide 2 breaks")
    page.check("input[value=reject]")
    page.click("button:text('Decide 2 breaks')")
    for _ in range(50):
        if page.locator(".bulk-progress:has-text('2 done')").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    assert states() == {"A": "rejected", "B": "rejected", "C": "review"}
    page.goto("/bulk/")
    expect(page.locator("tbody")).to_contain_text("Filter reason:SIGN_FLIP")
    assert faults == []
