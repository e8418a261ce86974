"""What people take along: a journey that others can check, and exports that are made in the background."""

import csv
import hashlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from django.contrib.auth.models import User
from django.core.management import call_command
from playwright.sync_api import Page, expect

from reconciliation.models import Run
from review.exporting import carry_out
from review.models import Export
from tests.conftest import row

NARROW = {"width": 390, "height": 800}
LEFT = [row("FX-10", "10.25"), row("FX-11", "5.00"), row("FX-12")]
RIGHT = [row("FX-10", "10.00"), row("FX-11", "77.00"), row("FX-12")]
SignIn = Callable[..., Page]


def test_a_key_is_searched_and_its_journey_exported_and_checked(
    reconcile: Callable[..., Run], signed_in: SignIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    reconcile(LEFT, RIGHT)
    for number, options in enumerate(({"java_script_enabled": False}, {"viewport": NARROW, "color_scheme": "dark"})):
        page = signed_in(person("Analyst", f"analyst{number}"), **options)
        page.goto("/queue/")
        page.fill("#find", "FX-1")
        page.press("#find", "Enter")
        expect(page.locator("tbody tr")).to_have_count(3)
        page.click("tbody >> text=FX-10")
        expect(page.locator("#stored-1")).to_contain_text("Stored as version 1")
        with page.expect_download() as taken:
            page.click("text=Export signed JSON")
        file = tmp_path / f"{number}.json"
        taken.value.save_as(file)
        said = StringIO()
        call_command("verify_journey", file, database=True, stdout=said)
        assert said.getvalue().startswith("Valid: ")
    page.goto("/search/?key=nothing")
    expect(page.locator("main")).to_contain_text("No break and no stored row")
    assert faults == []


def test_the_queue_is_exported_in_the_background(
    reconcile: Callable[..., Run], signed_in: SignIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    formula = "=HYPERLINK('http://elsewhere.example')"  # a spreadsheet would take it for one
    reconcile([*LEFT, row(formula, "3.00")], RIGHT)
    page = signed_in(person("Analyst"))
    page.goto("/queue/?state=all")
    page.click(".tools >> text=Export")
    for column in ("band", "currency"):
        page.uncheck(f"input[value={column}]")
    page.select_option("select[name=format]", "csv")
    page.click("form >> button:text('Export')")
    expect(page.locator("#exports")).to_contain_text("waiting")
    carry_out(Export.objects.get())
    expect(page.locator("#exports")).to_contain_text("is ready")  # htmx asked again
    with page.expect_download() as taken:
        page.click("#exports >> tbody >> a")
    file = tmp_path / "queue.csv"
    taken.value.save_as(file)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == Export.objects.get().sha256
    with file.open(encoding="utf-8", newline="") as opened:
        lines = list(csv.DictReader(opened))
    assert {it["key"] for it in lines} == {"FX-10", "FX-11", f"'{formula}"} and "band" not in lines[0]
    assert faults == []
