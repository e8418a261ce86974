"""Sessions end by themselves, guessing is locked out, headers and cookies are what a browser needs to be safe."""

import datetime as dt
from collections.abc import Callable
from unittest import mock

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone

from ingestion.models import AuditEvent
from review.addresses import client_address
from review.models import ApiToken
from review.tokens import make_token

Person = Callable[..., User]
HERE, THERE = "203.0.113.7", "198.51.100.7"
RIGHT = "secret-of-a-test"


def at(client: Client, seconds: int, **headers: str) -> int:
    """The status of the queue so many seconds from now."""
    import time

    later = time.time() + seconds
    with mock.patch("review.sessions.time.time", lambda: later):
        return client.get(reverse("queue"), headers=headers).status_code


def told(action: str) -> list[str]:
    return list(AuditEvent.objects.filter(action=action).order_by("id").values_list("actor_name", flat=True))


def test_who_is_idle_is_signed_out_and_told_why(client: Client, person: Person) -> None:
    client.force_login(person("Analyst", "ann"))
    assert [at(client, seconds) for seconds in (0, 1700, 3400)] == [
        200,
        200,
        200,
    ]  # each within half an hour of the last
    answer = at(client, 3400 + 1900)
    assert answer == 302 and told("session.ended") == ["ann"]
    assert "Nothing was done for 30 minutes. Sign in again." in client.get(reverse("login")).content.decode()


def test_a_page_that_polls_keeps_nobody_signed_in(client: Client, person: Person) -> None:
    client.force_login(person("Analyst", "ann"))
    polls = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{reverse('queue')}?a=b"}
    assert [at(client, seconds, **polls) for seconds in (0, 1000, 1790)] == [200, 200, 200]
    at(client, 1900, **polls)
    assert told("session.ended") == ["ann"]


def test_a_session_ends_after_a_working_day_whatever_is_done(client: Client, person: Person) -> None:
    client.force_login(person("Analyst", "ann"))
    minutes = [at(client, seconds) for seconds in range(0, 36_000, 1500)]
    assert set(minutes) == {200}
    assert at(client, 36_100) == 302
    assert "You signed in more than 10 hours ago." in client.get(reverse("login")).content.decode()


def sign_in(client: Client, name: str, password: str, address: str = HERE):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return client.post(reverse("login"), {"username": name, "password": password}, REMOTE_ADDR=address)


def test_guessing_is_locked_by_name_and_address(client: Client, person: Person) -> None:
    person("Analyst", "ann"), person("Analyst", "bob")
    answers = [sign_in(client, "ann", "wrong").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    locked = sign_in(client, "ann", RIGHT)
    assert locked.status_code == 429 and locked.headers["Retry-After"] == "900"
    assert "locked from here for 15 minutes. Wait, or ask an Administrator" in locked.content.decode()
    assert told("session.locked") == ["ann"] and len(told("session.refused")) <= 5
    assert sign_in(Client(), "ann", RIGHT, THERE).status_code == 302
    assert sign_in(Client(), "bob", RIGHT).status_code == 302


def test_guessing_at_many_names_is_locked_by_address(
    client: Client, person: Person, staff: Callable[[str], User]
) -> None:
    person("Analyst", "ann")
    with override_settings(ADDRESS_FAILURES=6):
        answers = [sign_in(Client(), f"name{number}", "Spring-2026").status_code for number in range(7)]
        assert answers == [200] * 5 + [429] * 2
        locked = sign_in(client, "ann", RIGHT)
        assert locked.status_code == 429 and "6 sign-ins from your address failed" in locked.content.decode()
        assert sign_in(Client(), "ann", RIGHT, THERE).status_code == 302
        (event,) = AuditEvent.objects.filter(action="session.locked")
        assert (event.actor_name, event.name) == ("unknown name", "all names") and len(told("session.refused")) == 5
        staff("Administrator")
        client.force_login(User.objects.get(username="administrator"))
        assert "all names" in client.get(reverse("admin:axes_accessattempt_changelist")).content.decode()
        AccessAttempt.objects.filter(username="name1").delete()
        assert sign_in(Client(), "ann", RIGHT).status_code == 302


def test_a_lock_ends_by_time(client: Client, person: Person) -> None:
    person("Analyst", "ann")
    for _ in range(7):
        sign_in(client, "ann", "wrong")
    assert sign_in(client, "ann", RIGHT).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))
    assert sign_in(client, "ann", RIGHT).status_code == 302


def test_an_administrator_unlocks(client: Client, person: Person, staff: Callable[[str], User]) -> None:
    person("Analyst", "ann")
    for _ in range(5):
        sign_in(Client(), "ann", "wrong")
    staff("Administrator")
    attempt = AccessAttempt.objects.get()
    assert RIGHT not in str(vars(attempt)) and "wrong" not in str(vars(attempt))
    page = client.get(reverse("admin:axes_accessattempt_changelist")).content.decode()
    assert "ann" in page and HERE in page
    client.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    assert told("session.unlocked") == ["administrator"]
    assert sign_in(Client(), "ann", RIGHT).status_code == 302


def test_others_unlock_nobody(client: Client, staff: Callable[[str], User]) -> None:
    staff("Manager")
    assert client.get(reverse("admin:axes_accessattempt_changelist")).status_code == 403


@pytest.mark.parametrize(
    ("hops", "forwarded", "found"),
    [(0, "198.51.100.1", HERE), (1, "10.9.9.9, 198.51.100.1", "198.51.100.1"), (2, "198.51.100.1, 10.0.0.1", "198.51.100.1"), (1, "", HERE)],
)  # fmt: skip
def test_only_trusted_proxies_say_who_asks(hops: int, forwarded: str, found: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=HERE, HTTP_X_FORWARDED_FOR=forwarded)
    with override_settings(PROXY_HOPS=hops):
        assert client_address(request) == found


def test_every_answer_bears_the_headers(client: Client, person: Person) -> None:
    for url in (reverse("login"), "/nowhere/", "/admin/", "/api/v1/runs/"):
        headers = client.get(url).headers
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin" and headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    with override_settings(SECURE_HSTS_SECONDS=31_536_000):
        assert Client().get(reverse("login"), secure=True).headers["Strict-Transport-Security"] == "max-age=31536000"


def test_cookies_are_kept_from_scripts_and_other_sites(client: Client, person: Person) -> None:
    person("Analyst", "ann")
    with override_settings(SESSION_COOKIE_SECURE=True):
        cookie = sign_in(client, "ann", RIGHT).cookies["sessionid"]
    assert cookie["httponly"] and cookie["secure"] and cookie["samesite"] == "Lax"


@pytest.mark.parametrize("password", ["short-one", "password1234", "839201748392", "annabelle-smith"])
def test_passwords_that_are_guessed_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="annabelle-smith"))


def test_a_token_ends_and_is_bounded(db: None, client: Client, person: Person) -> None:
    robot = person("API client", "robot")
    for given in (
        {"scopes": []},
        {"scopes": ["read"], "days": 0},
        {"scopes": ["read"], "days": 366},
        {"scopes": ["all"]},
    ):
        with pytest.raises(ValueError, match="scope"):
            make_token(user=robot, name="x", **given)  # type: ignore[arg-type]
    headers = {"Authorization": f"Token {make_token(user=robot, name='x', scopes=['read'])}"}
    assert client.get("/api/v1/runs/", headers=headers).status_code == 200
    assert ApiToken.objects.get().last_used_at is not None
    ApiToken.objects.update(expires_at=timezone.now())
    assert client.get("/api/v1/runs/", headers=headers).status_code == 401
