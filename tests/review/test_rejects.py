"""The rejects file: what goes back to a source, record by record."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import fixtures

from config.definitions.faults import BadDefinition
from ingestion.models import Delivery
from reconciliation.models import Break, Reconciliation, Run, Team
from review.decisions import decide
from tests.conftest import DAY, DEFINITION, row


def test_rejected_and_unreadable_records_go_back_to_their_source(
    reconcile: Callable[..., Run], person: Callable[[str], User], tmp_path: Path
) -> None:
    reconcile([row("A"), row("B", "10.00"), row("C", "=1+1"), "short,row"], [row("A"), row("B", "55.00")])
    by = person("Supervisor")
    decide(
        brk=Break.objects.get(key="B"), action="reject", by=by, reason="MANUAL_ENTRY_ERR", comment="=cmd() of the desk"
    )
    target = tmp_path / "rejects.csv"
    call_command("rejects", "left", date=DAY, to=target)
    lines = list(csv.DictReader(target.read_text().splitlines()))
    assert [(it["key"], it["record"], it["reason"]) for it in lines] == [
        ("B", "2", "MANUAL_ENTRY_ERR"),
        ("", "4", "quarantined"),
    ]
    assert lines[0]["comment"] == "'=cmd() of the desk"  # no spreadsheet runs it
    assert (lines[0]["amount"], lines[0]["rejected_by"]) == ("10.00", by.get_username())
    assert (lines[1]["raw"], lines[1]["comment"][:3]) == ("short,row", "It ")
    call_command("rejects", "right", date=DAY, to=target)
    assert [it["amount"] for it in csv.DictReader(target.read_text().splitlines())] == ["55.00"]


def test_it_is_downloaded_by_who_may_see_the_source(
    reconcile: Callable[..., Run], person: Callable[[str], User], client: Client
) -> None:
    reconcile([row("A"), "short,row"], [row("A")])
    client.force_login(person("Auditor"))
    address = f"/api/v1/sources/left/rejects?date={DAY}"
    delivery = Delivery.objects.get(source__code="left")
    assert f'href="{address}"' in client.get(f"/deliveries/{delivery.pk}/").content.decode()
    answer = client.get(address)
    assert answer["Content-Disposition"] == f'attachment; filename="rejects_left_{DAY}.csv"'
    assert b"short,row" in answer.content
    assert client.get(f"/api/v1/sources/left/rejects?date={DAY}&as=json").json()[0]["reason"] == "quarantined"
    assert client.get("/api/v1/sources/left/rejects").status_code == 400
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    client.force_login(person("Analyst"))
    assert client.get(f"/api/v1/sources/left/rejects?date={DAY}").status_code == 404


def test_it_is_put_where_the_source_reads_it(
    reconcile: Callable[..., Run],
    define: Callable[[str], object],
    person: Callable[[str], User],
    client: Client,
    tmp_path: Path,
    settings: fixtures.Settings,
) -> None:
    reconcile([row("A"), "short,row"], [row("A")])
    client.force_login(person("Administrator"))
    push = f"/api/v1/sources/left/rejects?date={DAY}"
    assert "names no place" in client.post(push, headers={"Idempotency-Key": "a"}).json()["detail"]
    settings.DROP_FOLDERS = [str(tmp_path)]
    connection = "  left:\n    connection: {rejects: {url: 'file://back/'}}\n"
    define(DEFINITION.replace("  left:\n", connection))
    name = f"rejects_left_{DAY}.csv"
    assert client.post(push, headers={"Idempotency-Key": "b"}).json() == {
        "records": 1,
        "place": f"file://{tmp_path}/back/{name}",
    }
    call_command("rejects", "left", date=DAY, push=True)
    assert [it.name for it in (tmp_path / "back").iterdir()] == [name]
    assert "short,row" in (tmp_path / "back" / name).read_text()
    client.force_login(person("Auditor"))
    assert client.post(push, headers={"Idempotency-Key": "c"}).status_code == 403


@pytest.mark.parametrize(
    ("rejects", "said"),
    [
        ("s3://b/", "it is {url: 's3://bucket/folder/'}"),
        ("{url: 'ftp://b/'}", "without *"),
        ("{url: 's3://b/', secret: hunter2}", "never the secret itself"),
        ("{url: 's3://b/', endpoint: 'https://me:hunter2@s3.example'}", "holds no user or password"),
    ],
)
def test_a_place_that_cannot_be_is_refused(define: Callable[[str], object], rejects: str, said: str) -> None:
    with pytest.raises(BadDefinition, match=re.escape(said)):
        define(DEFINITION.replace("  left:\n", f"  left:\n    connection: {{rejects: {rejects}}}\n"))
