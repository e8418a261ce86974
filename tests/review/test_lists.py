"""The lists of sources, deliveries and runs: what they say of each, narrowed and paged, and what an empty one says to do."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ingestion.models import Delivery, Source
from reconciliation.models import Reconciliation, Run, Team
from review.pages import deliveries
from tests.conftest import row


def shown(client: Client, name: str, **query: object) -> str:
    """The page as one line."""
    return " ".join(client.get(reverse(name), query).content.decode().split())


def test_sources_say_what_came_last_and_narrow_what_came(
    reconcile: Callable[..., Run], client: Client, person: Callable[[str], User], monkeypatch: pytest.MonkeyPatch
) -> None:
    reconcile([row("A"), "x,y"], [row("A")])
    client.force_login(person("Analyst"))
    page = client.get(reverse("deliveries"))
    last = {it.code: it.last for it in page.context["sources"]}
    newest = Delivery.objects.filter(source__code="left").latest("id")
    assert (last["left"]["delivery"], last["left"]["received"], last["left"]["quarantined"]) == (newest.pk, 2, 1)
    only = client.get(reverse("deliveries"), {"source": "left", "state": "done"}).context["normalizations"]
    assert [it.delivery for it in only] == [newest]
    assert "No such delivery." in shown(client, "deliveries", state="failed")
    assert client.get(reverse("deliveries"), {"state": "\0", "before": "x"}).status_code == 400
    monkeypatch.setattr(deliveries, "PAGE", 1)
    first = client.get(reverse("deliveries")).context
    second = client.get(reverse("deliveries"), {"before": first["next"]}).context
    assert {it.pk for it in first["normalizations"]}.isdisjoint(it.pk for it in second["normalizations"])


def test_an_empty_list_says_what_to_do(trades: Reconciliation, client: Client, person: Callable[[str], User]) -> None:
    client.force_login(person("Analyst"))
    assert "Upload its first file" in shown(client, "deliveries") and "Upload the first file" in shown(
        client, "deliveries"
    )
    assert "Hand in a file of each side" in shown(client, "runs")
    client.force_login(person("Auditor"))
    assert "first file" not in shown(client, "deliveries")
    Source.objects.exclude(pk__in=(trades.a_id, trades.b_id)).delete()
    Reconciliation.objects.filter(pk=trades.pk).update(team=Team.objects.create(code="desk"))
    client.force_login(person("Supervisor"))
    assert "Ask an Administrator to set one up." in shown(client, "deliveries")


def test_runs_are_narrowed_and_compared(
    reconcile: Callable[..., Run], client: Client, person: Callable[[str], User]
) -> None:
    first, second = (
        reconcile([row("A")], [row("A")]),
        reconcile([row("B"), row("C", "1.00")], [row("B"), row("C", "2.00")]),
    )
    client.force_login(person("Auditor"))
    found = client.get(reverse("runs"), {"reconciliation": "trades", "state": "done"}).context["runs"]
    assert [it.pk for it in found] == [second.pk, first.pk]
    assert "No such run." in shown(client, "runs", state="failed")
    told = {
        it.title: (it.before, it.now, it.change)
        for it in client.get(reverse("run", args=[second.pk])).context["against"]
    }
    assert told["Differing"] == (0, 1, 1) and told["Matched"] == (1, 1, 0)
    assert client.get(reverse("run", args=[first.pk])).context["against"] == []
