"""Labels in the admin: a dry run that names each bad row, then the service that the command calls; export and back."""

import csv
import io
import re
from collections.abc import Callable

import pytest
import xlsxwriter
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attribution.models import Correction, Reason
from ingestion.models import AuditEvent
from reconciliation.models import Break, Reconciliation, Run, Team
from review.decisions import decide
from tests.conftest import problems, row
from tests.standing import lake_folder  # noqa: F401

HEAD = "reconciliation,key,field,reason"
GOOD = f"{HEAD}\ntrades,K1,amount,SIGN_FLIP\ntrades,=K2,amount,ACCRUAL_DIFF\n"
Give = Callable[..., HttpResponse]


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Two differing records, one with a key that looks like a formula, and one that is missing in B."""
    return standing([row("K1", "1.25"), row("=K2", "7.00"), row("K3")], [row("K1", "-1.25"), row("=K2", "3.50")])


@pytest.fixture
def give(made: Run, client: Client, staff: Callable[[str], User]) -> Give:
    """Give a file to the page, as a Manager."""
    staff("Manager")

    def upload(content: str | bytes, name: str = "labels.csv") -> HttpResponse:
        data = content.encode() if isinstance(content, str) else content
        given = {"import_file": SimpleUploadedFile(name, data), "format": "0"}
        return client.post(reverse("admin:attribution_correction_import"), given)

    return upload


def confirm(client: Client, page: HttpResponse) -> str:
    """Confirm a preview."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))
    return client.post(reverse("admin:attribution_correction_process_import"), fields, follow=True).content.decode()


def workbook(*lines: str) -> bytes:
    """A sheet."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line.split(","))
    return target.getvalue()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_dry_run_writes_nothing_and_the_import_once(give: Give, client: Client, kind: str) -> None:
    content = GOOD if kind == "csv" else workbook(*GOOD.splitlines())
    page = give(content, f"labels.{kind}")
    text = page.content.decode()
    assert "2 new, 0 changed, 0 unchanged" in text and "ACCRUAL_DIFF" in text and "style=" not in text
    assert not Correction.objects.exists() and not AuditEvent.objects.filter(action="labels.imported").exists()
    assert "Imported: 2 new, 0 changed, 0 unchanged." in confirm(client, page)
    assert set(Correction.objects.filter(active=True).values_list("confirmed_by", flat=True)) == {"manager"}
    assert AuditEvent.objects.get(action="labels.imported").after["written"] == 2
    again = give(content, f"labels.{kind}")
    assert "0 new, 0 changed, 2 unchanged" in again.content.decode()
    assert "Imported: 0 new, 0 changed, 2 unchanged." in confirm(client, again)
    other = give(f"{HEAD}\ntrades,K1,amount,FX_VARIANCE\n")
    assert "<del>SIGN_FLIP</del> <ins>FX_VARIANCE</ins>" in other.content.decode()
    confirm(client, other)
    assert Correction.objects.count() == 3 and Correction.objects.filter(active=True).count() == 2
    assert problems() == []


BAD_ROWS = {
    "trade,K1,amount,SIGN_FLIP": "Row 3, there is no reconciliation &#x27;trade&#x27;; did you mean &#x27;trades&#x27;?",
    "trades,K1,amount,SIGNFLIP": "Row 3, there is no active reason &#x27;SIGNFLIP&#x27;; did you mean &#x27;SIGN_FLIP&#x27;?",
    "trades,K1,amount,UNKNOWN": "Row 3, UNKNOWN is no reason to learn from.",
    "trades,K1,amount,FX_VARIANCE": "Row 3, there is no active reason &#x27;FX_VARIANCE&#x27;",
    "trades,K9,amount,SIGN_FLIP": "Row 3, no break has the key &#x27;K9&#x27;.",
    "trades,K1,day,SIGN_FLIP": "What differs is amount.",
    "trades,=K2,amount,SIGN_FLIP": "Row 3, it says SIGN_FLIP, and line 2 says ACCRUAL_DIFF of the same difference.",
    "trades,K1,amount": "Row 3 has 3 values, but the header has 4.",
}


def test_each_bad_row_is_named_with_what_would_be_right(give: Give) -> None:
    Reason.objects.filter(code="FX_VARIANCE").update(active=False)
    for line, fault in BAD_ROWS.items():
        page = give(f"{HEAD}\ntrades,=K2,amount,ACCRUAL_DIFF\n{line}\n").content.decode()
        assert fault in page, (line, page[-3000:])
        assert 'value="Import"' not in page
    assert (
        "Column &#x27;reason&#x27; is missing" in give("reconciliation,key,field\ntrades,K1,amount\n").content.decode()
    )
    assert "The workbook is damaged" in give(b"PK\x03\x04 nothing", "labels.xlsx").content.decode()
    assert not Correction.objects.exists()


def test_what_was_decided_meanwhile_stands(give: Give, client: Client, person: Callable[..., User]) -> None:
    page = give(GOOD)
    decide(brk=Break.objects.get(key="K1"), action="override", reason="FX_VARIANCE", by=person("Analyst"))
    assert "1 contradict a decision or a second opinion" in confirm(client, page)
    assert Correction.objects.get(difference__brk__key="K1", active=True).reason_id == "FX_VARIANCE"
    assert problems() == []


def test_labels_of_another_team_are_not_known(give: Give, client: Client) -> None:
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    assert "there is no reconciliation &#x27;trades&#x27;" in give(GOOD).content.decode()


def test_an_export_runs_nothing_and_reads_back(give: Give, client: Client) -> None:
    confirm(client, give(GOOD))
    Correction.objects.filter(difference__brk__key="K1").update(active=False)
    file = client.get(reverse("admin:attribution_correction_export")).content.decode()
    assert list(csv.reader(io.StringIO(file))) == [HEAD.split(","), ["trades", "'=K2", "amount", "ACCRUAL_DIFF"]]
    assert "0 new, 0 changed, 1 unchanged" in give(file).content.decode()


@pytest.mark.parametrize("role", ["Analyst", "Supervisor", "Auditor"])
def test_an_import_needs_its_right(made: Run, client: Client, staff: Callable[[str], User], role: str) -> None:
    staff(role)
    assert client.get(reverse("admin:attribution_correction_import")).status_code == 403
    assert client.post(reverse("admin:attribution_correction_process_import"), {}).status_code == 403
    wanted = 200 if role == "Auditor" else 403
    assert client.get(reverse("admin:attribution_correction_export")).status_code == wanted


def test_a_hundred_times_the_rows_ask_no_more_queries(give: Give) -> None:
    asked = []
    for count in (10, 1000):
        lines = "".join(f"trades,K1,field{n},SIGN_FLIP\n" for n in range(count))
        with CaptureQueriesContext(connection) as queries:
            assert "Nothing was imported." in give(f"{HEAD}\n{lines}").content.decode()
        asked.append(len(queries))
    assert asked[1] <= asked[0] + 25  # the first twenty faults are looked at one by one
