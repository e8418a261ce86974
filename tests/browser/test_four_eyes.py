"""Two people at two desks: one proposes and another confirms, both decide at once, and the values change in between."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from ingestion import custody
from reconciliation.models import Break, Reconciliation, Run
from review.models import Decision
from tests.conftest import DAY, problems, row

SignedIn = Callable[..., Page]
DESK = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def brk(reconcile: Callable[..., Run]) -> Break:
    """A turned sign."""
    reconcile([row("A", "10.00")], [row("A", "-10.00")])
    return Break.objects.get(key="A")


@pytest.fixture
def four_eyes(brk: Break, trades: Reconciliation) -> None:
    """Decisions need a second person."""
    trades.four_eyes = True
    trades.save()
    custody.seal([trades])


def at_desk(signed_in: SignedIn, user: User, brk: Break) -> Page:
    """A person at a break's page."""
    page = signed_in(user, **DESK)
    page.goto(brk.get_absolute_url())
    page.wait_for_load_state("networkidle")
    return page


@pytest.mark.usefixtures("four_eyes")
def test_one_proposes_and_another_confirms(
    brk: Break, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    maker = at_desk(signed_in, person("Supervisor", "maker"), brk)
    maker.keyboard.press("a")
    decide = maker.get_by_role("region", name="Decision")
    expect(decide).to_contain_text("Approval proposed by maker")
    expect(decide).to_contain_text("Nobody confirms their own.")
    assert decide.get_by_role("button").all_inner_texts() == ["Withdraw\nr"]
    proposal = Decision.objects.get()
    token = str(maker.get_attribute("meta[name=csrf-token]", "content"))
    own = maker.request.post(reverse("confirm", args=[proposal.pk]), headers={"X-CSRFToken": token})
    assert own.status == 403 and "Nobody confirms their own proposal." in own.text()
    assert Decision.objects.get().confirmed_by is None
    checker = signed_in(person("Supervisor", "checker"), **DESK)
    checker.goto("/queue/")
    checker.click("text=To confirm")
    checker.click("tbody >> text=A")
    checker.wait_for_load_state("networkidle")
    checker.keyboard.press("a")
    expect(checker.get_by_role("region", name="Decision")).to_contain_text("Approved by checker")
    expect(checker.get_by_role("region", name="Decision")).to_contain_text("proposed by maker")
    assert Break.objects.get().state == "approved" and problems() == [] and faults == []


@pytest.mark.usefixtures("four_eyes")
def test_a_proposal_beside_the_list_is_confirmed_there(
    brk: Break, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    for name, words in (("maker", "A: Approval proposed."), ("checker", "A: Approved.")):
        page = signed_in(person("Manager", name), **DESK)
        page.goto("/queue/")
        expect(page.locator("#preview h2").first).to_have_text("A")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("a")
        expect(page.locator("#said p")).to_have_text(words)
    assert Break.objects.get().state == "approved" and faults == []


@pytest.mark.usefixtures("four_eyes")
def test_a_stale_proposal_is_void_and_the_difference_shown(
    brk: Break, reconcile: Callable[..., Run], signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    maker = at_desk(signed_in, person("Analyst", "maker"), brk)
    maker.keyboard.press("a")
    expect(maker.get_by_role("region", name="Decision")).to_contain_text("Approval proposed by maker")
    checker = at_desk(signed_in, person("Supervisor", "checker"), brk)
    reconcile([row("A", "20.00")], [row("A", "-20.00")], DAY + dt.timedelta(days=1))
    checker.keyboard.press("a")
    expect(checker.get_by_role("alert")).to_contain_text("This proposal is no longer open. The values changed since.")
    void = checker.get_by_role("region", name="Void proposal")
    expect(void).to_contain_text("Approval proposed by maker is void")
    assert void.locator("tbody tr").all_inner_texts() == ["amount\tA\t10.00\t20.00", "amount\tB\t-10.00\t-20.00"]
    expect(checker.get_by_role("button", name="Approve")).to_be_visible()  # to be decided anew
    assert Break.objects.get().state == "review" and faults == []


def test_of_two_at_once_one_wins_and_the_other_sees_what_happened(
    brk: Break, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    first, second = (at_desk(signed_in, person("Supervisor", name), brk) for name in ("first", "second"))
    first.keyboard.press("a")
    expect(first.get_by_role("region", name="Decision")).to_contain_text("Approved by first")
    second.keyboard.press("r")
    expect(second.get_by_role("alert")).to_contain_text("This break was decided already by first: approved")
    expect(second.get_by_role("region", name="Decision")).to_contain_text("Approved by first")
    assert Decision.objects.get().action == "approve" and Break.objects.get().state == "approved" and faults == []


def test_a_double_click_decides_once(
    brk: Break, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = at_desk(signed_in, person("Analyst"), brk)
    page.get_by_role("button", name="Approve").dblclick()
    expect(page.get_by_role("region", name="Decision")).to_contain_text("Approved by analyst")
    page.wait_for_load_state("networkidle")
    assert Decision.objects.count() == 1 and page.get_by_role("alert").count() == 0 and faults == []


def test_what_is_said_of_a_break_stands_in_its_journey_too(
    brk: Break, signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    supervisor = person("Supervisor", "sue")
    page = at_desk(signed_in, person("Analyst", "anna"), brk)
    page.keyboard.press("c")
    page.keyboard.type("@sue is that your <b>desk</b>?")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#comments .words")).to_have_text("@sue is that your <b>desk</b>?")
    page.get_by_role("navigation", name="From here").get_by_role("link", name="Journey").click()
    expect(page.locator("main")).to_contain_text("is that your <b>desk</b>?")
    called = signed_in(supervisor, **DESK)
    called.goto("/alerts/")
    called.click("text=/anna/")
    expect(called.locator("#comments .at")).to_have_text("@sue")
    assert faults == []
