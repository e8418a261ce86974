"""Every page as axe judges it (WCAG 2.2 AA), light and dark, 1280 and 360 pixels wide: nothing serious, no complaint of the browser."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import Group, User
from playwright.sync_api import Page

from attribution.models import ModelVersion, Training
from reconciliation.models import Break, Run
from tests.attribution.test_learning import model  # noqa: F401
from tests.places import ADMIN, FILES, PAGE, Place, places
from tests.review.test_access import things  # noqa: F401

AXE = Path(__file__).with_name("axe-core-4.14.1")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 800}
# The admin's lists and forms of models are of two makes; one model of each stands for the others.
ADMIN_MODELS = (
    "reconciliation_break_",
    "reconciliation_run_change",
    "ingestion_source_change",
    "review_decision_changelist",
    "auth_user_change",
    "auth_group_change",
)
JUDGE = """
async (only) => {
  document.getAnimations().forEach(it => it.finish());
  const found = await axe.run(document, {runOnly: only, resultTypes: ['violations'], iframes: false, preload: false});
  return found.violations.filter(it => ['serious', 'critical'].includes(it.impact))
    .map(it => `${it.id}: ${it.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' ')}`);
}
"""


def test_nothing_serious_on_any_page(
    things: dict[str, int],  # noqa: F811
    model: ModelVersion,  # noqa: F811
    reconcile: Callable[..., Run],
    person: Callable[..., User],
    signed_in: Callable[..., Page],
    faults: list[str],
) -> None:
    Training.objects.update(model=model)
    ModelVersion.objects.exclude(pk=model.pk).delete()
    page = signed_in(_anyone(person), viewport=WIDE, reduced_motion="reduce")
    script = (AXE / "axe.min.js").read_text(encoding="utf-8")
    page.context.add_init_script(script)
    told = {place.url: found for place in _walk() if (found := _judged(page, place.url))}
    assert told == {}
    assert [it for it in faults if "404" not in it] == []


def test_axe_is_as_it_was_published() -> None:
    listed = [line.split() for line in (AXE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert {name for _, name in listed} == {it.name for it in AXE.iterdir()} - {"SHA256SUMS"}
    assert all(hashlib.sha256((AXE / name).read_bytes()).hexdigest() == digest for digest, name in listed)


def _anyone(person: Callable[..., User]) -> User:
    """Who may open every page."""
    user = person("Manager", "walker")
    user.groups.add(Group.objects.get(name="Administrator"))
    user.is_staff = True
    user.save()
    return user


def _walk() -> list[Place]:
    """Every page once, breaks of each kind."""
    of_each = Break.objects.order_by("kind", "-pk").distinct("kind")
    found: dict[str, Place] = {}
    for place in places(each=1, breaks=list(of_each)):
        if place.kind in (PAGE, ADMIN) and place.name not in FILES and _is_own(place):
            found.setdefault(place.name if place.name != "break" else place.url, place)
    return [*found.values(), Place("404", "/nothing-here/")]


def _is_own(place: Place) -> bool:
    stock = place.kind == ADMIN and place.name.count("_") > 1
    return not stock or any(it in place.name for it in ADMIN_MODELS)


def _judged(page: Page, url: str) -> list[str]:
    """What axe says of a page: everything wide and narrow, and of the dark colours whether they contrast."""
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
    page.goto(url)
    told: list[str] = []
    contrast = ["color-contrast"]
    for width, scheme, only in (
        (WIDE, "light", LEVELS), (WIDE, "dark", contrast), (NARROW, "dark", contrast), (NARROW, "light", LEVELS),
    ):  # fmt: skip
        page.set_viewport_size(width)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        told += [f"{width['width']} {scheme} {it}" for it in page.evaluate(JUDGE, only)]
    return told
