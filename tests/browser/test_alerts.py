"""An alert arrives, the bell counts it, the inbox lists it, and it leads to its page; the dashboard leads to what it counts."""

from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from reconciliation.models import Break, Run
from review.assigning import assign
from tests.conftest import row


def test_an_alert_leads_from_the_bell_to_its_page(
    signed_in: Callable[..., Page], reconcile: Callable[..., Run], person: Callable[..., User], faults: list[str]
) -> None:
    analyst, supervisor = person("Analyst", "ann"), person("Supervisor", "sue")
    reconcile([row("SIGN", "10.00"), row("SAME")], [row("SIGN", "-10.00"), row("SAME")])
    page = signed_in(analyst)
    page.goto("/")
    expect(page.get_by_role("link", name="Alerts", exact=True)).to_be_visible()
    page.get_by_role("link", name="Left to Differing: 1 rows").focus()
    page.keyboard.press("Enter")  # a band of the flow is a link
    expect(page.get_by_role("link", name="SIGN", exact=True)).to_be_visible()

    assign(brk=Break.objects.get(key="SIGN"), to=analyst, by=supervisor)
    page.goto("/")
    expect(page.get_by_role("link", name="Assigned to me")).to_contain_text("1")
    page.get_by_role("link", name="Alerts, 1 unread").click()
    page.get_by_role("button", name="sue assigned a break to you.", exact=True).click()
    expect(page).to_have_url("/queue/?assigned=me")
    expect(page.get_by_role("link", name="SIGN", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Alerts", exact=True)).to_be_visible()  # read by that

    page.get_by_role("link", name="Alerts", exact=True).click()
    page.get_by_role("link", name="What to hear of").click()
    page.get_by_label("Mail of Assignment").select_option("none")
    page.get_by_label("Mute Assignment").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assign(brk=Break.objects.get(key="SIGN"), to=None, by=supervisor)
    assign(brk=Break.objects.get(key="SIGN"), to=analyst, by=supervisor)
    page.goto("/")
    expect(page.get_by_role("link", name="Alerts", exact=True)).to_be_visible()
    assert faults == []
