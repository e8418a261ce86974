"""Records of a type that has nothing but its key, carried in the admin."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client

from tests.conftest import DEFINITION, problems
from tests.reconciliation.test_admin_stored import confirm, give, rows_of, url

Staff = Callable[[str], User]


def test_a_type_that_is_only_a_key_is_carried_too(
    define: Callable[[str], object], client: Client, staff: Staff
) -> None:
    bare = DEFINITION.replace(", country: {type: text}}", "}").replace("      party.country: {column: country}\n", "")
    define(bare)
    staff("Administrator")
    page = give(client, "name\nAcme\nBeta\n")
    assert "2 new, 0 changed" in page
    confirm(client, page)
    assert rows_of(client.get(url("stored", "party")).content.decode()) == ["Beta", "Acme"]
    assert "0 new, 0 changed, 1 unchanged" in give(client, "name\nAcme\n")
    assert problems() == []
