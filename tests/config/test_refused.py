"""A refusal names the right that is missing, and the roles that have it."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from reconciliation.models import Run
from tests.conftest import row


def test_a_refusal_says_what_is_missing_and_who_has_it(
    reconcile: Callable[..., Run], client: Client, person: Callable[[str], User], staff: Callable[[str], User]
) -> None:
    reconcile([row("A")], [row("A")])
    client.force_login(person("Auditor"))
    answer = client.post(reverse("runs"), {"reconciliation": "trades", "date": "2026-11-20"})
    said = " ".join(answer.content.decode().split())
    assert answer.status_code == 403 and "It takes the right to add run." in said
    assert "Administrator, Analyst, Manager, Supervisor have it; you are Auditor." in said
    staff("Analyst")
    assert "It takes the right to view access attempt." in " ".join(
        client.get(reverse("admin:axes_accessattempt_changelist")).content.decode().split()
    )
    client.force_login(User.objects.create_user("nobody"))
    assert "you have no role" in " ".join(client.get(reverse("audit")).content.decode().split())
