"""A search goes on while a load has a table of the store for itself."""

from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from reconciliation.models import Reconciliation, Run
from review.search import search_keys
from tests.conftest import row


@pytest.mark.django_db(transaction=True)
def test_a_search_does_not_wait_for_a_load_that_has_a_table_for_itself(
    reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    reconcile([row("FX1"), row("FX2", "5.00")], [row("FX1"), row("FX2", "77.00")])
    every = list(Reconciliation.objects.select_related("a__record_type"))
    client.force_login(person("Analyst"))
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("LOCK TABLE store.trade IN ACCESS EXCLUSIVE MODE")
        connection.cursor().execute("SET statement_timeout = '5s'")
        found = search_keys(every, "FX")
        page = client.get("/search/", {"key": "FX", "list": 1}).content.decode()
    assert [it.key for it in found.hits] == ["FX2"] and found.loading == ["trade"]
    assert "A large load of trade is under way" in page
    found = search_keys(every, "FX")
    assert [it.key for it in found.hits] == ["FX1", "FX2"] and not found.loading
