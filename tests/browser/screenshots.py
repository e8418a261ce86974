"""Photographs every page of tests/places.py as the demo fills it, light and dark; those that a person meets most narrow, too.

python -m tests.browser.screenshots [--to docs/screenshots] [--only queue,break]     (inside `python -m config.stack up`, after the demo)

An administrator of the demo looks. The files are WebP, which chromium writes itself.
"""

import base64
import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import django

django.setup()
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright keeps an event loop in this thread

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db.models import Count, Q  # noqa: E402
from django.test import Client  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from reconciliation.models import Break  # noqa: E402
from tests.browser.conftest import NEEDED, PROGRAMS  # noqa: E402
from tests.browser.test_axe import ADMIN_MODELS  # noqa: E402
from tests.places import ADMIN, FILES, PAGE, places  # noqa: E402

WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
ASKED_BY_KEY = ("journey", "search")
ALSO_NARROW = ("break", "queue", "dashboard")
QUALITY = 72  # of 100: sharp letters, about 25 KB a page
ELSEWHERE = ("next_break", "assign", "changes")  # they lead elsewhere, or show a line


def main() -> None:
    """Take them all, or those of some names."""
    parser = ArgumentParser()
    parser.add_argument("--to", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--only", type=lambda it: it.split(","), default=[])
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    chosen = {name: url for name, url in pages() if not given.only or name in given.only}
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, NEEDED
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        taken = list(_all(browser, chosen, given.to))
        browser.close()
    size = sum(it.stat().st_size for it in taken)
    sys.stdout.write(f"{len(taken)} screenshots in {given.to}, {size / 1e6:.1f} MB.\n")


def pages() -> Iterator[tuple[str, str]]:
    """Each kind of page once: its name, as its file is called, and its address; of what is asked by a key, with the key."""
    seen = set(FILES) | set(ELSEWHERE)
    for place in places(each=1, breaks=_breaks()):
        stock = place.kind == ADMIN and place.name.count("_") > 1
        is_shown = place.kind in (PAGE, ADMIN) and (not stock or any(it in place.name for it in ADMIN_MODELS))
        is_shown &= place.name not in ASKED_BY_KEY or "key=" in place.url and "nothing" not in place.url
        if is_shown and place.name not in seen:
            seen.add(place.name)
            yield place.name.replace(":", "-"), place.url


def _breaks() -> list[Break]:
    """The open break of the demo's trades in which most fields differ."""
    differing = Count("differences", filter=Q(differences__current=True))
    found = Break.objects.filter(state="review", kind="differing", reconciliation__code="fx_trades").exclude(
        band="held"
    )
    return list(found.annotate(n=differing).order_by("-n", "pk")[:1])


def _all(browser: Browser, chosen: dict[str, str], folder: Path) -> Iterator[Path]:
    for scheme in ("light", "dark"):
        page = _window(browser, scheme, WIDE)
        for name, url in chosen.items():
            yield _taken(page, url, folder / f"{name}-{scheme}.webp")
    page = _window(browser, "light", NARROW)
    for name in ALSO_NARROW:
        if name in chosen:
            yield _taken(page, chosen[name], folder / f"{name}-390.webp")


def _window(browser: Browser, scheme: str, size: dict[str, int]) -> Page:
    """A window in which the administrator is signed in."""
    site, client = os.environ["TIEOUT_URL"], Client()
    client.force_login(User.objects.get(username="admin"))
    window = browser.new_context(base_url=site, viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    window.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])
    return window.new_page()


def _taken(page: Page, url: str, file: Path) -> Path:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    asked = {"format": "webp", "quality": QUALITY}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    file.write_bytes(base64.b64decode(shot["data"]))
    return file


if __name__ == "__main__":
    main()
