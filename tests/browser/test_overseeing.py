"""What people do who look after a desk: one decision for an incident, blind audits, a gate opened again, labels and definitions in the
admin, the audit log with the history of the set-up, and what each wants to hear of."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from attribution.models import Correction, GateStep
from ingestion.models import AuditEvent
from reconciliation.models import Reconciliation, Run
from review.bulk.working import work_on
from review.models import AlertChoice, BulkDecision, Incident, SavedView
from review.saved_views import save_view
from tests.browser.test_pages import staff
from tests.conftest import DEFINITION, problems, row
from tests.review.conftest import rounded
from tests.review.test_incidents import day_of

SignedIn = Callable[..., Page]
NARROW = {"width": 360, "height": 800}


def test_an_incident_is_looked_into_and_decided_as_one(
    trades: Reconciliation, signed_in: SignedIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    for day, turned in enumerate((1, 1, 1, 25)):
        day_of(day, turned, tmp_path, trades)
    page = signed_in(person("Analyst"), color_scheme="dark", reduced_motion="reduce")
    page.goto("/")
    page.click("text=1 incident")
    page.click("text=/^Incident \\d+$/")
    expect(page.locator("main")).to_contain_text("party Beta")
    expect(page.locator("tbody").first).to_contain_text("−20.00")  # what differs, beside each key
    page.click("text=All in the queue")
    expect(page.locator(".qr a.key")).to_have_count(25)
    page.go_back()
    page.click("button:text('Decide all 25 that wait')")
    page.check("input[value=override]")
    page.select_option("select[name=reason]", "MANUAL_ENTRY_ERR")
    page.fill("textarea[name=comment]", "Beta turned them")
    page.click("button:text('Decide 25 breaks')")
    page.wait_for_url("**/bulk/*/**")
    work_on(BulkDecision.objects.get())
    expect(page.locator(".bulk-progress")).to_contain_text(re.compile("25 done"))
    page.click("dd >> a[href^='/incidents/']")
    expect(page.locator("h1 + .chip, .head .chip")).to_contain_text("decided")
    assert Incident.objects.get().state == "decided" and faults == [] and problems() == []


def test_audits_close_a_gate_and_a_manager_opens_it(
    define: Callable[[str], object],
    reconcile: Callable[..., Run],
    signed_in: SignedIn,
    person: Callable[..., User],
    faults: list[str],
) -> None:
    manager = person("Manager")  # alerts are counted from the day on which one came
    reconcile(*rounded(4))
    for name in ("ann", "bob"):
        page = signed_in(person("Analyst", name), viewport=NARROW, reduced_motion="reduce")
        page.goto("/blind-audits/")
        page.click("text=P0")
        for _ in range(4):
            assert page.get_by_text("ROUNDING_DIFF 9").count() == 0  # nothing of why it passed
            page.get_by_label("Why does amount differ?").select_option("SIGN_FLIP")
            with page.expect_navigation():
                page.click("text=Give this answer")
    assert GateStep.objects.get().kind == "trip"
    page = signed_in(manager)
    page.goto("/alerts/")
    expect(page.locator("main")).to_contain_text("The gate of trades closed.")
    page.goto("/gates/")
    expect(page.locator("tbody")).to_contain_text("closed")
    page.get_by_label("What was mended").fill("nothing yet")
    page.get_by_role("button", name="Open the gate").click()
    expect(page.locator("body")).to_contain_text("Nothing changed since")
    define(DEFINITION.replace("gate: {", 'gate: {confidence: "0.96", '))
    page.goto("/gates/")
    page.get_by_label("What was mended").fill("the provers were too sure")
    page.get_by_role("button", name="Open the gate").click()
    expect(page.locator("tbody").first).to_contain_text("the provers were too sure")
    assert GateStep.objects.latest("pk").by == "manager" and faults == []


def test_labels_are_tried_and_imported_in_the_admin(
    reconcile: Callable[..., Run], signed_in: SignedIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    reconcile([row("A", "5.00"), row("B", "7.00")], [row("A", "-5.00"), row("B", "3.00")])
    head, file = "reconciliation,key,field,reason", tmp_path / "labels.csv"
    page = signed_in(staff(person, "Manager"), color_scheme="dark")

    def give(*lines: str) -> None:
        file.write_text("\n".join([head, *lines]), encoding="utf-8")
        page.goto("/admin/attribution/correction/")
        page.click("text=/^Import$/i")
        page.set_input_files("input[type=file]", file)
        page.click("input[type=submit]")

    give(
        "trades,A,amount,SIGN_FLIP",
        "trades,C,amount,SIGN_FLIP",
        "trades,B,amount,SIGNFLIP",
        "trades,B,amuont,SIGN_FLIP",
    )
    expect(page.locator("#content")).to_contain_text("3 faults")
    for said in (
        "Row 3, no break has the key 'C'",
        "Row 4, there is no active reason 'SIGNFLIP'",
        "Row 5, 'amuont' does not differ",
    ):
        expect(page.locator("#content")).to_contain_text(said)
    assert not Correction.objects.exists()
    give("trades,A,amount,SIGN_FLIP", "trades,B,amount,ACCRUAL_DIFF")
    expect(page.locator("#content")).to_contain_text("2 new, 0 changed, 0 unchanged")
    page.click("input[type=submit]")
    expect(page.locator("body")).to_contain_text("Imported: 2 new")
    assert Correction.objects.filter(active=True).count() == 2
    assert [it for it in faults if "400" not in it] == []


@pytest.mark.usefixtures("db")
def test_a_definition_is_checked_applied_and_its_history_read(
    signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(staff(person, "Administrator"))
    page.goto("/admin/definitions/")
    page.fill("#text", DEFINITION.replace("amount: {column: amount}", "amuont: {column: amount}"))
    page.click("button:text('Check')")
    expect(page.locator("#answer")).to_contain_text("did you mean 'amount'?")
    assert "amuont" in page.input_value("#text") and not Reconciliation.objects.exists()
    for text, told in (
        (DEFINITION, "reconciliation trades: created"),
        (DEFINITION.replace('"1000"', '"2000"'), "trades"),
    ):
        page.fill("#text", text)
        page.click("button:text('Apply')")
        expect(page.locator("#answer h2")).to_have_text("Applied")
        expect(page.locator("#answer")).to_contain_text(told)
    page.goto("/audit/?kind=reconciliation")
    page.fill("input[name=actor]", "administrator")
    page.click("button:text('Show')")
    page.wait_for_url("**actor=administrator**")
    page.goto("/audit/?actor=nobody-of-this-name")
    page.click("text=Clear the filters")
    event = AuditEvent.objects.filter(action__startswith="set_up").first() or AuditEvent.objects.earliest("pk")
    expect(page.locator("tbody").first).to_contain_text(event.actor_name)
    page.goto(f"/audit/history/reconciliation/{Reconciliation.objects.get().pk}/")
    expect(page.locator(".diff").first).to_contain_text("2000")
    assert faults == []


def test_each_says_what_to_hear_of_and_keeps_views(
    reconcile: Callable[..., Run], signed_in: SignedIn, person: Callable[..., User], faults: list[str]
) -> None:
    reconcile([row("A", "5.00")], [row("A", "-5.00")])
    ann = person("Analyst", "ann")
    save_view(by=ann, name="Turned", query="reason:SIGN_FLIP")
    page = signed_in(ann, viewport=NARROW)
    page.goto("/alerts/")
    page.click("text=What to hear of")
    page.get_by_label("Mail of Run failed").select_option("digest")
    page.get_by_label("Mute Delivery late").check()
    page.click("button:text('Save')")
    page.goto("/alerts/choices/")
    expect(page.get_by_label("Mute Delivery late")).to_be_checked()
    expect(page.get_by_label("Mail of Run failed")).to_have_value("digest")
    assert set(AlertChoice.objects.values_list("event", flat=True)) == {"run.failed", "delivery.late"}
    page.goto("/queue/views/")
    page.click("text=/^Change$/")
    page.locator("form.view-form input[name=query]").fill("reson:X")
    page.click("text=Save changes")
    expect(page.locator("[role=alert]")).to_contain_text("Did you mean reason?")
    assert page.locator("form.view-form input[name=query]").input_value() == "reson:X"
    page.locator("form.view-form input[name=query]").fill("reason:SIGN_FLIP state:all")
    page.click("text=Save changes")
    page.click("text=Open the queue with it")
    page.goto("/queue/")
    expect(page.locator(".qr a.key")).to_have_text(["A"])
    assert SavedView.objects.get().query == "reason:SIGN_FLIP state:all"
    assert [it for it in faults if "400" not in it] == []
