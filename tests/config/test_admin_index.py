"""The admin's first page: what waits for whom, with the list that it leads to, in a few queries."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from reconciliation.models import Reconciliation, Run, Team
from tests.conftest import DAY, row

Staff = Callable[[str], User]


def waits(client: Client) -> dict[str, int]:
    """Each title with its count."""
    return {it.title: it.count for it in client.get(reverse("admin:index")).context["waiting"]}


def test_it_says_what_waits_and_leads_there(
    reconcile: Callable[..., Run],
    client: Client,
    staff: Staff,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    reconcile([row("A", "5.00"), "C,short"], [row("A", "-5.00")])
    staff("Analyst")
    client.post(
        reverse("admin:upload"), {"source": "left", "date": str(DAY), "file": SimpleUploadedFile("left.csv", b"id\n")}
    )
    with django_assert_max_num_queries(12):
        page = client.get(reverse("admin:index"))
    told = {it.title: it for it in page.context["waiting"]}
    assert {title: it.count for title, it in told.items()} == {
        "Breaks in review": 1,
        "Quarantined rows": 1,
        "Uploads of yours": 1,
    }
    assert all(client.get(it.url).status_code == 200 for it in told.values())
    assert all(it.remedy.capitalize() in page.content.decode() for it in told.values())


def test_another_team_s_work_is_not_counted(
    reconcile: Callable[..., Run], trades: Reconciliation, client: Client, staff: Staff
) -> None:
    reconcile([row("A", "5.00"), "C,short"], [row("A", "-5.00")])
    Reconciliation.objects.filter(pk=trades.pk).update(team=Team.objects.create(code="desk"))
    staff("Analyst")
    assert waits(client) == {}
    assert "Nothing waits for you." in client.get(reverse("admin:index")).content.decode()
