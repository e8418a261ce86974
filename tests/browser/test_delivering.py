"""From two files to a run, outside the admin: set up, handed in, followed, cancelled, run again, corrected; rows repaired and released."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from config.pipeline import do, run_to_end
from ingestion.models import Normalization
from reconciliation.models import Break, Reconciliation, Run
from tests.browser.test_pages import choose
from tests.conftest import HEADER, problems, row

SignedIn = Callable[..., Page]
NARROW = {"width": 360, "height": 800}


def hand_in(page: Page, folder: Path, source: str, *rows: str) -> None:
    """Upload rows for a source, look at them, accept them."""
    file = folder / f"{source}.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    choose(page, "/upload/", file, source=source)
    page.click("button:text('Accept')")
    page.wait_for_url("**/deliveries/*/**")


def read() -> None:
    """What the worker of the queue `ingest` does."""
    for work in Normalization.objects.filter(state=Normalization.State.READY):
        do(work)


@pytest.mark.usefixtures("trades")
def test_files_are_run_the_run_is_cancelled_and_run_again(
    signed_in: SignedIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    page = signed_in(person("Analyst"), reduced_motion="reduce")
    hand_in(page, tmp_path, "left", row("A", "5.00"), row("B", "7.00"), "C,short")
    expect(page.locator("main")).to_contain_text("It is being read.")
    assert page.get_by_text("No row is quarantined.").count() == 0  # nobody knows yet
    read()
    expect(page.locator("main")).to_contain_text("Trades waits for Right of 20 Nov 2026.")  # htmx asked again
    expect(page.locator("main")).to_contain_text("It has 2 cells where 6 were expected.")
    page.click("text=Upload it")
    page.wait_for_url("**/upload/")
    hand_in(page, tmp_path, "right", row("A", "-5.00"), row("B", "7.00"))
    read()
    page.click("button:text('Run Trades of 20 Nov 2026')")
    page.wait_for_url("**/runs/*/**")
    expect(page.locator("#progress")).to_contain_text(re.compile(r"\d of \d steps done"))
    page.get_by_role("button", name="Cancel run").click()
    expect(page.locator("#progress")).to_contain_text("Cancelled by analyst.")
    assert page.get_by_role("button", name="Cancel run").count() == 0
    assert Run.objects.get().state == "failed" and not Break.objects.exists()
    page.click("text=Run this date again")
    page.wait_for_url(f"**/runs/{Run.objects.latest('pk').pk}/")
    run_to_end(Run.objects.latest("pk"))
    expect(page.locator("#progress")).to_contain_text("Adds up")  # without a reload
    page.click("text=Breaks of this run")
    expect(page.locator(".qr a.key")).to_have_text(["A"])
    assert faults == [] and problems() == []


def test_a_corrected_file_and_a_repaired_row_are_taken_by_the_next_run(
    reconcile: Callable[..., Run], signed_in: SignedIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    reconcile([row("A", "5.00"), "C,short"], [row("A", "6.00"), row("C", "8.00")])
    page = signed_in(person("Supervisor"), viewport=NARROW, color_scheme="dark", reduced_motion="reduce")
    hand_in(page, tmp_path, "right", row("A", "5.00"), row("C", "8.00"))
    read()
    expect(page.locator("#changes")).to_contain_text("1 changed")
    expect(page.locator("#changes")).to_contain_text("6.00")
    page.goto("/quarantine/")
    page.click("tbody >> a")
    cells = row("C", "8.00").split(",")
    for number, value in enumerate(cells, 1):
        page.fill(f"input[name='cell:{number}']", value)
    page.click("button:text('Repair and replay')")
    expect(page.locator("#row")).to_contain_text("Say why")
    assert page.input_value("input[name='cell:4']") == cells[3]  # and what was typed is still there
    page.fill("input[name=comment]", "the line was cut")
    page.click("button >> text=/^Repair$/")
    expect(page.locator("#row")).to_contain_text("Repaired")
    page.goto(f"/deliveries/{Normalization.objects.earliest('pk').delivery_id}/")
    page.click("button:text('Replay 1 repaired row')")
    page.wait_for_url("**/deliveries/*/**")
    read()
    page.goto("/runs/")
    page.select_option("form select[name=reconciliation] >> nth=0", "trades")
    page.fill("input[name=date]", "2026-11-20")
    page.click("button:text('Start run')")
    page.wait_for_url("**/runs/*/**")
    run_to_end(Run.objects.latest("pk"))
    expect(page.locator("#progress")).to_contain_text("Adds up")
    assert not Break.objects.filter(state="review").exists()
    page.goto("/journey/?reconciliation=trades&key=C")
    expect(page.locator("main")).to_contain_text("the line was cut")
    assert faults == [] and problems() == []


@pytest.mark.usefixtures("db")
def test_a_reconciliation_is_set_up_from_two_files(
    signed_in: SignedIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    days, ours, theirs = range(1, 13), tmp_path / "ours.csv", tmp_path / "theirs.csv"
    ours.write_text("\n".join(["Order;Cur;Gross", *(f"A-{n};EUR;{n * 100},50" for n in days)]), encoding="utf-8")
    theirs.write_text(
        "\n".join(["ref,ccy,total", *(f"A-{n},EUR,{n * 100}.5{n // 12}" for n in days)]), encoding="utf-8"
    )
    page = signed_in(person("Administrator"), reduced_motion="reduce")
    page.goto("/deliveries/")
    page.click("text=New reconciliation")
    for side, file in (("a", ours), ("b", theirs)):
        page.set_input_files(f"input[name={side}]", file)
    page.click("button:text('Propose')")
    expect(page.locator("main")).to_contain_text("11 of 12 keys on both sides")
    page.fill("input[name=code]", "orders")
    page.click("text=Change gross")
    page.fill("[name=type_2]", "{type: decimals}")
    page.click("button:text('Apply and run')")
    expect(page.locator(".told [role=alert]")).to_contain_text("decimals")  # beside the field
    assert page.input_value("[name=type_2]") == "{type: decimals}" and not Reconciliation.objects.exists()
    page.fill("[name=type_2]", "{type: decimal, digits: 18, places: 2}")
    page.fill("input[name=date]", "2026-11-20")
    page.click("button:text('Try and show the definition')")
    expect(page.locator("main")).to_contain_text("amount_field: gross, currency_field: cur")
    page.click("button:text('Apply and run')")
    page.wait_for_url("**/runs/*/**")
    run_to_end(Run.objects.get())
    expect(page.locator("#progress")).to_contain_text("Adds up")
    differing = Break.objects.get()
    assert (differing.key, str(differing.amount.normalize()), differing.currency) == ("A-12", "1200.5", "EUR")  # type: ignore[union-attr]
    assert [it for it in faults if "400" not in it] == [] and problems() == []
