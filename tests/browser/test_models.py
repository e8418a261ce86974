"""A model in a browser: its threshold is moved, it is promoted, why it said something is opened, and it is rolled back."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from attribution.models import ModelVersion
from attribution.registry import champion_of
from reconciliation.models import Break, Reconciliation, Run
from tests.attribution.test_learning import day_of, told, write_labels
from tests.conftest import DAY

UNFILLED = """async text => {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(text), it => it.charCodeAt(0))]));
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  return [...canvas.getImageData(picture.width - 20, picture.height / 2, 1, 1).data].slice(0, 3);
}"""  # the colour of the end that is not filled


@pytest.fixture
def model(trades: Reconciliation, reconcile: Callable[..., Run], tmp_path: Path) -> ModelVersion:
    """A candidate from sixty labels."""
    left, right, truth = day_of(1, 60)
    reconcile(left, right)
    told("import_corrections", str(write_labels(tmp_path / "labels.csv", truth)))
    told("train", "trades")
    return ModelVersion.objects.get()


def test_the_threshold_has_a_dark_track_on_a_dark_page(
    signed_in: Callable[..., Page], model: ModelVersion, person: Callable[..., User]
) -> None:
    page = signed_in(person("Manager"), color_scheme="dark")
    page.goto(f"/models/{model.pk}/")
    page.locator("#slide").focus()
    page.keyboard.press("Home")
    picture = base64.b64encode(page.locator("#slide").screenshot(caret="initial")).decode()
    page.goto("about:blank")
    assert max(page.evaluate(UNFILLED, picture)) < 128


def test_a_manager_moves_the_threshold_promotes_asks_why_and_rolls_back(
    signed_in: Callable[..., Page],
    model: ModelVersion,
    reconcile: Callable[..., Run],
    person: Callable[..., User],
    faults: list[str],
) -> None:
    page = signed_in(person("Manager"))
    page.goto(f"/models/{model.pk}/")
    slider = page.locator("#slide")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("#what-if thead").first).to_contain_text("At 0.999")  # htmx brought it
    page.keyboard.press("Home")
    expect(page.locator("#what-if thead").first).to_contain_text("At 0.5")
    expect(page.locator("#what-if circle.ring")).to_have_count(1)
    page.get_by_role("button", name="Promote").click()
    expect(page.locator("body")).to_contain_text("trades model 1 speaks from the next run on.")
    reconcile(*day_of(2, 40)[:2], DAY.replace(day=21))
    said = Break.objects.filter(state="review", differences__attributions__assigned_by="model:1").earliest("pk")
    page.goto(said.get_absolute_url())
    page.get_by_role("link", name="Show what weighed").click()
    expect(page.locator("#why")).to_contain_text("what the provers and habits say")
    page.goto(f"/models/{model.pk}/")
    page.get_by_role("button", name="Roll back to the provers").click()
    expect(page.locator("body")).to_contain_text("The provers speak alone from the next run on.")
    assert champion_of(model.reconciliation) is None and faults == []

    page = signed_in(person("Auditor"), java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.goto(f"/models/{model.pk}/")
    expect(page.locator("#slide")).to_be_hidden()
    page.get_by_label("Threshold", exact=True).fill("0.99")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("#what-if thead").first).to_contain_text("At 0.99")
    page.goto(f"/breaks/{said.pk}/")
    page.get_by_role("link", name="Show what weighed").click()
    expect(page.locator("h2", has_text="Why")).to_be_visible()
    expect(page.locator("table.why")).to_contain_text("Together")
    assert page.get_by_role("button", name="Promote").count() == 0 and faults == []
