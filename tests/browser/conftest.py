"""The machine's own chromium on a live server; a page tells everything that went wrong in it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.faults.conftest import committed  # noqa: F401 - the store's tables go after the test

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NEEDED = "The browser tests need chromium: apt-get install chromium"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all these tests. It keeps an event loop in this thread, which Django would take for ours."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, NEEDED
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with sync_playwright() as driver:
            opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
            yield opened
            opened.close()


@pytest.fixture
def faults() -> list[str]:
    """What browsers complained about: errors of scripts, violations of the policy, answers that are none."""
    return []


@pytest.fixture
def visiting(
    committed: None,  # noqa: F811
    browser: Browser,
    live_server: LiveServer,
    faults: list[str],
) -> Iterator[Callable[..., Page]]:
    """Open a window of its own; `options` are those of the window (width, colours, no script)."""
    opened = []

    def open_(**options: object) -> Page:
        window = browser.new_context(base_url=live_server.url, **options)  # type: ignore[arg-type]
        opened.append(window)
        page = window.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda it: faults.append(it.text) if it.type in ("error", "warning") else None)
        page.on("pageerror", lambda it: faults.append(str(it)))
        page.on("response", lambda it: faults.append(f"{it.status} {it.url}") if it.status >= 400 else None)
        return page

    yield open_
    for window in opened:
        window.close()
    assert [it for it in faults if "Content Security Policy" in it] == []


@pytest.fixture
def signed_in(visiting: Callable[..., Page], live_server: LiveServer) -> Callable[..., Page]:
    """Open a window in which a user is signed in; `options` as for `visiting`."""

    def open_(user: User, **options: object) -> Page:
        client = Client()
        client.force_login(user)
        page = visiting(**options)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        return page

    return open_
