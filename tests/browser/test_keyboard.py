"""A day's work without a mouse: sign in, decide twenty breaks beside the list, undo one, sign out; and the keys themselves."""

import re
import statistics
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from reconciliation.models import Break, Run
from review.models import Decision
from tests.conftest import problems, row

SignedIn = Callable[..., Page]
DESK = {"viewport": {"width": 1440, "height": 900}}
DECISIONS = 20
KEYS = [f"K{n:02}" for n in range(DECISIONS + 4)]
FOCUSED = "document.activeElement.innerText?.trim() ?? ''"


@pytest.fixture
def many(reconcile: Callable[..., Run]) -> Run:
    """Two dozen turned signs, the largest amounts first in the queue."""
    amounts = {key: 900 - 10 * n for n, key in enumerate(KEYS)}
    return reconcile(
        [row(key, f"{it}.00") for key, it in amounts.items()], [row(key, f"-{it}.00") for key, it in amounts.items()]
    )


def walk_to(page: Page, words: str, key: str = "Tab") -> None:
    """Press a key until what bears these words has the focus."""
    for _ in range(200):
        if str(page.evaluate(FOCUSED)).startswith(words):
            return
        page.keyboard.press(key)
    raise AssertionError(f"No key leads to {words!r}.")


def selected(page: Page) -> str:
    """The key of the selected row, once it stands beside the list."""
    key = page.locator(".qr.now a.key").inner_text()
    expect(page.locator("#preview h2").first).to_have_text(key)
    return key


def test_twenty_decisions_from_sign_in_to_sign_out(
    many: Run,
    visiting: SignedIn,
    person: Callable[..., User],
    faults: list[str],
    record_property: Callable[[str, object], None],
) -> None:
    person("Analyst", "anna")
    page = visiting(**DESK)
    page.goto("/sign-in/")
    page.keyboard.type("anna")
    page.keyboard.press("Tab")
    page.keyboard.type("secret-of-a-test")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Dashboard")
    walk_to(page, "Queue")
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue/")
    seconds, made = [], {}
    for n in range(DECISIONS):
        key, began = selected(page), time.perf_counter()
        made[key] = _decide(page, n)
        expect(page.locator("#said p")).to_contain_text(f"{key}: {made[key]}")
        seconds.append(time.perf_counter() - began)
    record_property("seconds", " ".join(f"{it:.2f}" for it in seconds))
    print(f"Seconds a decision: {' '.join(f'{it:.2f}' for it in seconds)}; median {statistics.median(seconds):.2f}")  # noqa: T201
    last = selected(page)
    assert str(page.evaluate(FOCUSED)) == last  # the focus is on the row that is next
    page.keyboard.press("u")
    expect(page.locator("#said p")).to_contain_text(f"{key}: {made.pop(key)}, undone")
    assert selected(page) == key and page.locator(".qr.settled").count() == DECISIONS - 1
    walk_to(page, "Sign out", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/**")
    done = {it.brk.key: it.told for it in Decision.objects.filter(undone_at=None).select_related("brk")}
    assert done == made and len(done) == DECISIONS - 1 and Break.objects.get(key=key).state == "review"
    assert problems() == [] and faults == []


def _decide(page: Page, n: int) -> str:
    """Mostly approve; now and then reject, or override with a reason and a word. Gives what is told of it."""
    if n % 5 == 3:
        page.keyboard.press("r")
        return "Rejected"
    if n % 5 != 4:
        page.keyboard.press("a")
        return "Approved"
    page.keyboard.press("e")
    page.keyboard.type("MANUAL")  # the list of reasons has the focus
    walk_to_comment(page)
    page.keyboard.type("typed by hand")
    page.keyboard.press("Enter")
    return "Overridden as MANUAL_ENTRY_ERR"


def walk_to_comment(page: Page) -> None:
    """Press Tab until the comment of an override has the focus."""
    for _ in range(40):
        if page.evaluate("document.activeElement.name") == "comment":
            return
        page.keyboard.press("Tab")
    raise AssertionError("No key leads to the comment.")


def test_keys_move_check_and_ask(
    many: Run, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(person("Analyst"), **DESK)
    page.goto("/queue/")
    first = selected(page)
    for key in ("j", "j", "k", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("#checked")).to_have_text("3 checked")
    page.keyboard.press("/")
    page.keyboard.type("ja")  # letters are letters where one writes
    assert page.input_value("#key").endswith("ja")
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("dialog")).to_contain_text("Approve, or confirm what another person proposed")
    page.keyboard.press("a")  # and nothing is decided behind the dialog
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("e")
    expect(page.locator("#preview details#override")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator("#preview details#override")).not_to_have_attribute("open", "")
    page.keyboard.press("o")
    page.wait_for_url("**/breaks/*/**")
    page.keyboard.press("q")
    page.wait_for_url("**/queue/**")
    assert selected(page) == first and Decision.objects.count() == 0 and faults == []


def test_a_break_is_decided_and_left_by_keys(
    many: Run, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(person("Supervisor"), **DESK)
    page.goto("/queue/?q=reason:SIGN_FLIP&order=amount")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("o")
    title = page.locator("h1")
    expect(title).to_have_text(KEYS[0])
    page.wait_for_load_state("networkidle")
    page.keyboard.press("a")
    expect(page.locator("#told")).to_have_text(f"{KEYS[0]}: Approved.")
    assert page.evaluate("document.activeElement.className") == "decide"
    page.keyboard.press("u")
    expect(page.locator("#told")).to_have_text(f"{KEYS[0]}: Approved, undone.")
    for key, then in (("j", KEYS[1]), ("j", KEYS[2]), ("k", KEYS[1]), ("n", re.compile(f"K..(?<!{KEYS[1]})"))):
        page.keyboard.press(key)
        expect(title).to_have_text(then)
        page.wait_for_load_state("networkidle")
    assert "q=reason" in page.url  # the queue that one came from goes along
    page.keyboard.press("c")
    page.keyboard.type("@sup")
    expect(page.get_by_role("button", name="@supervisor")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("look at this")
    walk_to(page, "Comment")
    page.keyboard.press("Enter")
    expect(page.locator("#comments .at")).to_have_text("@supervisor")
    page.keyboard.press("q")
    page.wait_for_url("**/queue/?q=reason**")
    assert Decision.objects.filter(undone_at=None).count() == 0 and faults == []


def test_who_switched_letters_off_decides_nothing_by_them(
    many: Run, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(person("Analyst"), **DESK)
    page.goto("/queue/")
    selected(page)
    page.keyboard.press("?")
    page.get_by_label("Single letters act.").uncheck()
    page.get_by_role("dialog").locator("select").select_option("compact")
    page.click("text=Save for me")
    page.wait_for_url("**/queue/")
    first = selected(page)
    assert page.get_attribute("html", "data-density") == "compact"
    for key in "ajro?":
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")
    assert selected(page) == first and page.get_by_role("dialog").count() == 0 and Decision.objects.count() == 0
    page.click("#preview >> text=Approve")
    expect(page.locator("#said p")).to_contain_text(f"{first}: Approved")
    page.click("text=Keys are off")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults == []
