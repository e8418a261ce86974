"""Definitions in the admin: checked by the service of `manage.py define`, applied whole, within rights and teams."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.definitions.export import export_definition
from config.definitions.yaml_text import SIZE_CAP
from ingestion.models import RecordType, Source
from reconciliation.models import Reconciliation, Team
from tests.conftest import DEFINITION, problems

URL = "/admin/definitions/"
Staff = Callable[[str], User]


def test_a_check_tells_and_changes_nothing(db: None, client: Client, staff: Staff) -> None:
    staff("Administrator")
    page = client.post(URL, {"action": "check", "text": DEFINITION}).content.decode()
    assert "No fault. Applying it would do this" in page and "reconciliation trades: created" in page
    assert not RecordType.objects.exists()
    assert "record_types:" in page  # the text stays in the form


def test_an_applied_definition_is_there_sealed_and_named(db: None, client: Client, staff: Staff) -> None:
    user = staff("Administrator")
    text = DEFINITION.replace("\n", "\r\n")  # as a browser sends it
    page = client.post(URL, {"action": "apply", "text": text}, follow=True).content.decode()
    assert "Source left: mapping 1" in page and "by no run yet" in page
    assert Source.objects.get(code="left").current_mapping().created_by == user.username
    assert problems() == []
    again = client.post(URL, {"action": "apply", "text": text}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in again and "Nothing to change." in again


def test_a_fault_has_place_and_suggestion(db: None, client: Client, staff: Staff) -> None:
    staff("Administrator")
    wrong = DEFINITION.replace("amount: {column: amount}", "amuont: {column: amount}")
    for action in ("check", "apply"):
        page = client.post(URL, {"action": action, "text": wrong}).content.decode()
        assert "Nothing was changed." in page
        assert (
            "sources.left.mapping.amuont: record type &#x27;trade&#x27; has no field &#x27;amuont&#x27;; did you mean"
            in page
        )
    assert not RecordType.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: [", "this is no YAML"),
        (b"\xff\xfe", "the file is no UTF-8 text"),
        (b"x" * (SIZE_CAP + 1), "the file has more than"),
        (b"- 1", "a definition is a mapping"),
        (b"reconciliations: 7", "reconciliations: this must be a mapping of codes"),
    ],
)  # fmt: skip
def test_a_bad_file_is_a_sentence(content: bytes, says: str, db: None, client: Client, staff: Staff) -> None:
    staff("Administrator")
    page = client.post(URL, {"action": "check", "file": SimpleUploadedFile("x.yaml", content)})
    assert page.status_code == 200 and says in page.content.decode()
    assert "there is no definition" in client.post(URL, {"action": "check", "text": " "}).content.decode()


def test_a_value_table_stands_beside_the_definition(db: None, client: Client, staff: Staff) -> None:
    staff("Administrator")
    text = DEFINITION.replace(
        "{column: currency}", "{column: currency, values: {table: codes.csv, from: code, to: name}}"
    )
    missing = client.post(URL, {"action": "check", "text": text}).content.decode()
    assert "there is no file &#x27;codes.csv&#x27; beside the definition" in missing
    table = SimpleUploadedFile("../codes.csv", b"code,name\n978,EUR\n")
    client.post(URL, {"action": "apply", "text": text, "tables": [table]})
    assert Source.objects.get(code="left").current_mapping().document["currency"]["values"] == {"978": "EUR"}


def test_it_is_shown_and_downloaded(
    trades: Reconciliation, client: Client, staff: Staff, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    staff("Auditor")
    with django_assert_max_num_queries(8):
        page = client.get(URL).content.decode()
    assert "left, mapping 1" in page and "trade, schema 1" in page and "<textarea" not in page
    assert 'href="/admin/definitions/"' in client.get(reverse("admin:index")).content.decode()
    assert client.get(reverse("admin:definition", args=["trades"])).status_code == 200
    file = client.get(reverse("admin:definition_file", args=["trades"]))
    assert file.headers["Content-Disposition"] == 'attachment; filename="trades.yaml"'
    assert file.content.decode() == export_definition(trades)


@pytest.mark.parametrize("role", ["Analyst", "Supervisor", "Auditor", "API client"])
def test_who_may_not_define_is_refused(role: str, trades: Reconciliation, client: Client, staff: Staff) -> None:
    staff(role)
    assert client.post(URL, {"action": "apply", "text": DEFINITION}).status_code == 403


def test_a_manager_changes_rules_and_no_sources(trades: Reconciliation, client: Client, staff: Staff) -> None:
    staff("Manager")
    rules = DEFINITION.replace('absolute: "0.005"', 'absolute: "0.01"')
    client.post(URL, {"action": "apply", "text": rules})
    trades.refresh_from_db()
    assert trades.rules["compare"]["amount"] == {"absolute": "0.01"}
    mapped = rules.replace("currency: {column: currency}", "currency: {column: ccy}")
    page = client.post(URL, {"action": "apply", "text": mapped}).content.decode()
    assert "source left: mapping 2. You may not do that" in page
    assert Source.objects.get(code="left").mappings.count() == 1 and problems() == []


def test_another_teams_definition_is_closed(trades: Reconciliation, client: Client, staff: Staff) -> None:
    Reconciliation.objects.filter(pk=trades.pk).update(team=Team.objects.create(code="desk"))
    staff("Manager")
    page = client.post(URL, {"action": "apply", "text": DEFINITION}).content.decode()
    assert "reconciliations.trades: another team works on it" in page and "sources.left: another team" in page
    assert "trades</a>" not in client.get(URL).content.decode()
    for name in ("definition", "definition_file"):
        assert client.get(reverse(f"admin:{name}", args=["trades"])).status_code == 404
