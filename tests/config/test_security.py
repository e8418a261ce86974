"""What a browser and a stranger are told: headers and cookies behind TLS, and no figure without a right."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import fixtures

TLS = {"SECURE_COOKIES": "1", "PROXY_HOPS": "1"}
CSP = "default-src 'none'"


@pytest.mark.parametrize("address", ["/", "/sign-in/", "/queue/", "/admin/", "/api/v1/breaks", "/nothing/", "/livez"])
def test_every_answer_bears_the_headers(address: str, person: Callable[[str], User], client: Client) -> None:
    for told in (client.get(address), _signed_in(client, person).get(address)):
        held = told.headers
        assert CSP in held["Content-Security-Policy"] and "frame-ancestors 'none'" in held["Content-Security-Policy"]
        assert (held["X-Frame-Options"], held["X-Content-Type-Options"]) == ("DENY", "nosniff")
        assert (held["Referrer-Policy"], held["Cross-Origin-Opener-Policy"]) == ("same-origin", "same-origin")
        assert "no-store" in held["Cache-Control"]


def _signed_in(client: Client, person: Callable[[str], User]) -> Client:
    client.force_login(User.objects.filter(username="analyst").first() or person("Analyst"))
    return client


def test_cookies_stay_with_the_server(
    person: Callable[[str], User], client: Client, settings: fixtures.Settings
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    user = person("Analyst")
    client.get("/sign-in/")
    client.post("/sign-in/", {"username": user.username, "password": "secret-of-a-test"})
    assert set(client.cookies) >= {"sessionid", "csrftoken"}
    for cookie in ("sessionid", "csrftoken"):
        held = client.cookies[cookie]
        assert (held["httponly"], held["secure"], held["samesite"]) == (True, True, "Lax")


def test_behind_tls_the_deployment_check_has_nothing_to_say() -> None:
    """In a process of its own, since settings are read at its start."""
    told = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=Path(django_settings.BASE_DIR), env={**os.environ, **TLS}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr


def test_figures_are_for_who_sees_every_team_or_bears_the_token(
    person: Callable[[str], User], client: Client, settings: fixtures.Settings
) -> None:
    def status(**headers: str) -> int:
        return client.get("/metrics", headers=headers).status_code

    assert status() == status(Authorization="Bearer ") == 403
    settings.METRICS_TOKEN = "a-text-of-the-settings"
    assert status(Authorization="Bearer another") == 403
    assert status(Authorization="Bearer a-text-of-the-settings") == 200
    client.force_login(person("Analyst"))
    assert status() == 403
    client.force_login(person("Auditor"))
    assert b"tieout_breaks" in client.get("/metrics").content


def test_the_document_of_the_api_needs_a_sign_in(client: Client, person: Callable[[str], User]) -> None:
    assert client.get("/api/schema/").status_code == 401
    client.force_login(person("Analyst"))
    assert client.get("/api/schema/").status_code == 200
