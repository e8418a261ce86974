"""Pages as people meet them: no error of a script, no violation of the content security policy, with script and without."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from ingestion import lake
from ingestion.clock import database_now
from ingestion.expectations import plan_expectations
from ingestion.models import Delivery
from reconciliation.models import Run
from tests.conftest import HEADER, row

NARROW = {"width": 390, "height": 800}
BODY = f"{HEADER}\n{row('A')}\n{row('B', 'ten')}\nC,short\n"
SignIn = Callable[..., Page]


def staff(person: Callable[..., User], role: str, name: str = "") -> User:
    """A user who may enter the admin."""
    user = person(role, name)
    user.is_staff = True
    user.save()
    return user


def choose(page: Page, address: str, *files: Path, source: str = "left") -> None:
    """Fill the form of an upload, and send it."""
    page.goto(address)
    page.select_option("select[name=source]", source)
    page.fill("input[name=date]", "2026-11-20")
    page.set_input_files("input[type=file]", files)
    page.click("text=Upload and preview")


@pytest.mark.usefixtures("trades")
def test_a_file_is_uploaded_looked_at_and_accepted(
    signed_in: SignIn, person: Callable[..., User], faults: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "left.csv"
    file.write_text(BODY, encoding="utf-8")
    doors = (("/upload/", {"java_script_enabled": False}), ("/admin/upload/", {"viewport": NARROW}))
    for number, (address, options) in enumerate(doors):
        page = signed_in(staff(person, "Analyst", f"analyst{number}"), **options)
        choose(page, address, file)
        expect(page.locator("mark", has_text="ten")).to_be_visible()
        expect(page.locator("body")).to_contain_text("It has 2 cells where 6 were expected.")
        expect(page.locator(".hash")).to_have_text(hashlib.sha256(BODY.encode()).hexdigest())
        page.click("button:text('Accept')")
        page.wait_for_url("**/deliver*/**")
    delivery = Delivery.objects.get()  # the second time it is the one already held
    assert lake.local(delivery.path).read_text(encoding="utf-8") == BODY
    assert (delivery.received_by, delivery.business_date) == ("analyst0", dt.date(2026, 11, 20))
    assert faults == []


def test_pages_work_without_a_complaint(
    reconcile: Callable[..., Run], signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    run = reconcile([row("A", "5.00"), row("B", "7.00"), "C,short"], [row("A", "-5.00"), row("B", "-7.00")])
    page = signed_in(staff(person, "Supervisor"), color_scheme="dark")
    page.goto("/queue/")
    expect(page.locator("#preview")).to_contain_text("B is A with the sign turned.")  # htmx brought it
    page.keyboard.press("j")
    page.click("#preview >> text=Approve")
    expect(page.locator("#preview")).to_contain_text("Approved")
    for address in ("/", "/deliveries/", f"/runs/{run.pk}/", "/journey/?key=A"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
    page.goto("/quarantine/")
    page.click("tbody >> a")
    page.click("button:text('Try')")
    expect(page.locator("#row")).to_contain_text("It would become")
    page.fill("input[name=comment]", "a line of the desk")
    page.click("button:text('Repair and replay')")
    expect(page.locator("#row")).to_contain_text("Replayed as record 1")
    page.goto("/admin/ingestion/source/")
    page.click("#result_list >> text=left")
    expect(page.locator("body")).to_contain_text("Mapping")
    assert faults == []


@pytest.mark.usefixtures("trades")
def test_a_refusal_is_said_in_place(signed_in: SignIn, person: Callable[..., User], tmp_path: Path) -> None:
    page = signed_in(staff(person, "Analyst"))
    file = tmp_path / "left.csv"
    file.write_text(BODY, encoding="utf-8")
    page.goto("/upload/")
    page.evaluate("document.querySelector('form[data-upload]').dataset.most = 10")
    page.set_input_files("input[type=file]", file)
    assert "has more than 2 GB" in str(page.eval_on_selector("input[type=file]", "it => it.validationMessage"))
    page.evaluate("document.querySelector('form[data-upload]').noValidate = true")
    page.click("text=Upload and preview")
    expect(page.locator("#said")).to_have_text("Choose the source that the file is of.")
    assert page.input_value("input[name=sha256]") == hashlib.sha256(BODY.encode()).hexdigest()
    page.select_option("select[name=source]", "left")  # and the file is still there
    page.click("text=Upload and preview")
    expect(page.locator("h1")).to_have_text("Preview")


@pytest.mark.usefixtures("trades")
def test_an_administrator_sets_times_and_sees_what_is_owed(
    signed_in: SignIn, person: Callable[..., User], faults: list[str]
) -> None:
    page = signed_in(staff(person, "Administrator"), viewport=NARROW)
    page.goto("/admin/django_celery_beat/periodictask/add/")
    page.select_option("select[name=what]", label="Run trades")
    page.fill("input[name=times]", "0 25 * * *")
    page.click("input[name=_save]")
    expect(page.locator(".errorlist")).to_contain_text("write five fields of cron")
    page.fill("input[name=times]", "0 19 * * mon-fri")
    page.click("input[name=_save]")
    expect(page.locator("#result_list")).to_contain_text("0 19 * * mon-fri")
    page.goto("/admin/ingestion/deadline/add/")
    page.select_option("select[name=source]", label="left")
    page.fill("input[name=at]", "23:59")
    page.select_option("select[name=zone]", "Europe/Berlin")
    page.fill("input[name=after]", "1")
    page.click("input[name=_save]")
    expect(page.locator("#result_list")).to_contain_text("Europe/Berlin")
    plan_expectations(database_now())
    page.goto("/")
    expect(page.locator(".board")).to_contain_text(re.compile(r"by \d+ \w+ 23:59"))
    assert faults == []
