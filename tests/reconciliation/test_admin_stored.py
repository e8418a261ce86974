"""The store in the admin: browsed read-only and scoped; reference records come in and go out by file."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from ingestion.models import RecordType
from reconciliation.models import Reconciliation, Run, Team
from reconciliation.store.current import stored_versions
from tests.conftest import problems, row
from tests.standing import lake_folder  # noqa: F401

Staff = Callable[[str], User]


def url(name: str, code: str) -> str:
    """An address of a record type's stored rows."""
    return reverse(f"admin:ingestion_recordtype_{name}", args=[RecordType.objects.get(code=code).pk])


def rows_of(page: str) -> list[str]:
    """The texts of the first column."""
    return re.findall(r'<tr><td class="field-leaf[^"]*">([^<]*)</td>', page)


@pytest.fixture(scope="module")
def ended(standing: Callable[..., Run]) -> Run:
    """A run that stores twelve trades of two parties."""
    rows = [row(f"K{n:02}", party=("Acme", "Beta")[n % 2]) for n in range(12)]
    return standing(rows, rows)


@pytest.fixture
def run(ended: Run, db: None) -> Run:
    """The same, read anew."""
    return Run.objects.get(pk=ended.pk)


def give(client: Client, content: str, code: str = "party") -> str:
    """Give a file to the import page."""
    file = SimpleUploadedFile("rows.csv", content.encode(), "text/csv")
    return client.post(url("stored_import", code), {"import_file": file, "format": "0"}).content.decode()


def confirm(client: Client, page: str) -> str:
    """Confirm a preview."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return client.post(url("stored_process_import", "party"), fields, follow=True).content.decode()


def country(party: str) -> list[tuple[object, object]]:
    """The versions of a party: country and run."""
    versions = stored_versions(RecordType.objects.get(code="party"), party)
    return [(version["country"], version["_run"]) for version in versions]


@pytest.mark.parametrize(("code", "held"), [("trade", 12), ("party", 2)])
def test_stored_rows_are_listed_in_few_queries(
    code: str, held: int, run: Run, client: Client, staff: Staff, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    staff("Auditor")
    client.get(url("stored", code))  # the models of its tables are made once a process
    with django_assert_max_num_queries(20):
        page = client.get(url("stored", code)).content.decode()
    assert len(rows_of(page)) == held and "addlink" not in page.split('id="content"')[1]


def test_stored_rows_are_searched_and_versions_shown(
    run: Run, reconcile: Callable[..., Run], client: Client, staff: Staff
) -> None:
    staff("Auditor")
    second = reconcile([row("K01", "11.00", party="Beta")], [row("K01", "11.00", party="Beta")])
    assert len(rows_of(client.get(url("stored", "trade"), {"q": "K01"}).content.decode())) == 1
    page = client.get(url("stored", "trade"), {"q": "K01", "version": "all"}).content.decode()
    assert len(rows_of(page)) == 2 and f">{second.pk}</td>" in page and "Acme" not in page and "Beta" in page
    assert client.get(reverse("admin:ingestion_recordtype_changelist")).status_code == 200
    opened = reverse("admin:ingestion_recordtype_change", args=[RecordType.objects.get(code="trade").pk])
    assert client.get(opened).status_code == 200


def test_another_teams_rows_are_not_shown(run: Run, client: Client, staff: Staff) -> None:
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    staff("Manager")
    assert client.get(url("stored", "trade")).status_code == 404


def test_reference_records_are_previewed_then_stored_as_versions(run: Run, client: Client, staff: Staff) -> None:
    user = staff("Administrator")
    page = give(client, 'name,country\nAcme,FR\nBeta,DE\n"Gamma|1, Ltd",IT\n')
    assert "1 new, 1 changed, 1 unchanged" in page and "<del>DE</del> <ins>FR</ins>" in page
    assert country("Acme") == [("DE", run.pk)]
    assert "Imported: 1 new, 1 changed, 1 unchanged." in confirm(client, page)
    assert country("Acme") == [("DE", run.pk), ("FR", 0)]
    assert country("Gamma|1, Ltd") == [("IT", 0)]
    assert country("Beta") == [("DE", run.pk)]
    assert LogEntry.objects.get(user=user).change_message == "1 new and 1 changed reference records by file"
    assert problems() == []
    assert "0 new, 0 changed, 3 unchanged" in give(client, client.get(url("stored_export", "party")).content.decode())


def test_a_column_left_out_keeps_what_is_stored(run: Run, client: Client, staff: Staff) -> None:
    staff("Administrator")
    confirm(client, give(client, "name\nAcme\nDelta\n"))
    assert country("Acme") == [("DE", run.pk)] and country("Delta") == [(None, 0)]
    assert problems() == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name,country\n,DE\n", "Row 2, name: the key is empty; every record needs one."),
        ("name,country\nX,DE\nX,FR\n", "Row 3, X stands in row 2 already. Keep one of the two."),
        ("nam,country\nX,DE\n", "There is no column &#x27;nam&#x27;; did you mean &#x27;name&#x27;?"),
        ("country\nDE\n", "Column &#x27;name&#x27; is missing; every row needs it."),
    ],
)
def test_a_bad_record_is_a_sentence(content: str, says: str, run: Run, client: Client, staff: Staff) -> None:
    staff("Administrator")
    page = give(client, content)
    assert says in page and "process_import" not in page
    assert country("X") == []


def test_what_is_newer_in_the_store_is_not_replaced(
    reconcile: Callable[..., Run], client: Client, staff: Staff
) -> None:
    later = dt.date(2126, 1, 1)
    run = reconcile([row("A", party="Gamma")], [row("A", party="Gamma")], day=later)
    staff("Administrator")
    assert "with a later business date" in give(client, "name,country\nGamma,FR\n")
    assert country("Gamma") == [("DE", run.pk)]


def test_only_who_may_carries_reference_records_and_only_those(run: Run, client: Client, staff: Staff) -> None:
    staff("Manager")
    for name in ("stored_import", "stored_export"):
        assert client.get(url(name, "party")).status_code == 403
    assert client.post(url("stored_process_import", "party"), {}).status_code == 403
    staff("Administrator")
    assert client.get(url("stored_import", "party")).status_code == 200
    assert client.get(url("stored_import", "trade")).status_code == 403
    assert client.get(url("stored_export", "trade")).status_code == 403
