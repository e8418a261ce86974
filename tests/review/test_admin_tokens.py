"""API tokens in the admin: shown once, for programs only, taken back."""

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from review.models import ApiToken

ADD, LIST = "/admin/review/apitoken/add/", "/admin/review/apitoken/"


def test_a_token_is_shown_once_and_works_until_it_is_taken_back(
    client: Client, staff: Callable[[str], User], person: Callable[..., User]
) -> None:
    robot = person("API client", "robot")
    staff("Administrator")
    assert client.get(ADD).status_code == 200
    page = client.post(ADD, {"user": robot.pk, "name": "nightly", "scopes": ["read"], "days": 7}).content.decode()
    found = re.search(r'id="token">([\w-]+)<', page)
    assert found
    token = ApiToken.objects.get()
    headers = {"Authorization": f"Token {found[1]}"}
    assert Client().get("/api/v1/runs/", headers=headers).status_code == 200
    for url in (LIST, reverse("admin:review_apitoken_change", args=[token.pk])):
        shown = client.get(url).content.decode()
        assert "nightly" in shown and found[1] not in shown and token.sha256 not in shown
    client.post(reverse("admin:review_apitoken_delete", args=[token.pk]), {"post": "yes"})
    assert Client().get("/api/v1/runs/", headers=headers).status_code in (401, 403)


def test_nobody_makes_a_token_of_a_persons_rights(
    client: Client, staff: Callable[[str], User], person: Callable[..., User]
) -> None:
    manager = person("Manager", "mona")
    staff("Administrator")
    given = {"user": manager.pk, "name": "mine", "scopes": ["decide"], "days": 7}
    assert "Select a valid choice" in client.post(ADD, given).content.decode()
    robot = person("API client", "robot")
    wrong = given | {"user": robot.pk, "scopes": ["everything"], "days": 4000}
    page = client.post(ADD, wrong).content.decode()
    assert "everything is not one of the available choices" in page and "less than or equal to 365" in page
    assert not ApiToken.objects.exists()


def test_others_make_none(client: Client, staff: Callable[[str], User]) -> None:
    for role in ("Manager", "Auditor"):
        staff(role)
        assert client.get(ADD).status_code == 403
        assert client.get(LIST).status_code == 200
