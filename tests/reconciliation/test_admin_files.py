"""Reason codes, calendars, holidays and value maps through files: a dry run, sentences for bad rows, then the services."""

import re
from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from attribution.models import Reason
from ingestion.admin.files import MAX_BYTES
from ingestion.models import Calendar, CodeTranslation, Holiday
from reconciliation.models import Reconciliation, Team
from reconciliation.rule_sets import freeze_rules
from tests.conftest import DEFINITION, problems
from tests.standing import standing_trades  # noqa: F401

THINGS = ("attribution_reason", "ingestion_calendar", "ingestion_holiday", "ingestion_codetranslation")
REASONS = "code,label,functional,active,description\nBROKER_FEE,Fee,true,true,Known\nTIMING_LAG,Late,true,,\n"


@pytest.fixture
def preview(client: Client, trades: Reconciliation) -> Callable[[str, str | bytes], HttpResponse]:
    """Give a file to the import page of a thing."""

    def give(name: str, content: str | bytes) -> HttpResponse:
        data = content.encode() if isinstance(content, str) else content
        file = SimpleUploadedFile("rows.csv", data, "text/csv")
        return client.post(reverse(f"admin:{name}_import"), {"import_file": file, "format": "0"})

    return give


@pytest.fixture
def confirm(client: Client) -> Callable[[str, HttpResponse], str]:
    """Confirm a preview; gives the page that follows."""

    def press(name: str, page: HttpResponse) -> str:
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))
        return client.post(reverse(f"admin:{name}_process_import"), fields, follow=True).content.decode()

    return press


Preview = Callable[[str, str | bytes], HttpResponse]
Confirm = Callable[[str, HttpResponse], str]
Staff = Callable[[str], User]


@pytest.mark.parametrize("role", ["Analyst", "Supervisor", "Auditor"])
@pytest.mark.parametrize("name", THINGS)
def test_an_import_needs_its_right(name: str, role: str, client: Client, staff: Staff, trades: Reconciliation) -> None:
    staff(role)
    assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{name}_import")).status_code == 403
    assert client.post(reverse(f"admin:{name}_process_import"), {}).status_code == 403
    assert client.get(reverse(f"admin:{name}_export")).status_code == (200 if role == "Auditor" else 403)


def test_a_manager_carries_reasons_but_no_calendars(client: Client, staff: Staff, trades: Reconciliation) -> None:
    staff("Manager")
    assert client.get(reverse("admin:attribution_reason_import")).status_code == 200
    assert client.get(reverse("admin:ingestion_calendar_import")).status_code == 403


def test_a_dry_run_changes_nothing_and_the_import_is_sealed(staff: Staff, preview: Preview, confirm: Confirm) -> None:
    user = staff("Manager")
    page = preview("attribution_reason", REASONS)
    text = page.content.decode()
    assert "1 new, 1 changed, 0 unchanged" in text and "<ins>Late</ins>" in text and "style=" not in text
    assert not Reason.objects.filter(code="BROKER_FEE").exists()
    assert "Imported: 1 new, 1 changed, 0 unchanged." in confirm("attribution_reason", page)
    assert Reason.objects.get(code="BROKER_FEE").functional is True
    assert Reason.objects.get(code="TIMING_LAG").label == "Late"
    assert LogEntry.objects.filter(user=user).count() == 2
    assert problems() == []
    assert "0 new, 0 changed, 2 unchanged" in preview("attribution_reason", REASONS).content.decode()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("attribution_reason", "code,functional\nFEE,maybe\n", "Row 2, functional: &#x27;maybe&#x27; is neither true nor false. Write true or false."),
        ("attribution_reason", "code,functional\nfee,true\n", "Row 2, code: A reason code is upper-case letters, digits and _."),
        ("attribution_reason", "code,functional\nFEE,true\nFEE,false\n", "Row 3, FEE stands in row 2 already. Keep one of the two."),
        ("attribution_reason", "code,functional\nFEE,\n", "Row 2, UNKNOWN alone is neither functional nor an error"),
        ("attribution_reason", "code,active\nUNKNOWN,false\n", "Row 2, active: UNKNOWN stays active"),
        ("attribution_reason", "cod,functional\nFEE,true\n", "There is no column &#x27;cod&#x27;; did you mean &#x27;code&#x27;?"),
        ("attribution_reason", "code,code\nFEE,FEE\n", "Column &#x27;code&#x27; stands twice."),
        ("attribution_reason", "code;functional\nFEE;true\n", "Separate them by commas"),
        ("attribution_reason", "code,functional\nFEE,true,x\n", "Row 2 has 3 values, but the header has 2."),
        ("attribution_reason", "", "The submitted file is empty."),
        ("attribution_reason", "code,functional\n", "The file has a header and no rows."),
        ("attribution_reason", 'code,label\nFEE,"open\n', "The file is no CSV"),
        ("attribution_reason", b"code,label\nFEE,\xff\xfe\n", "The file is no UTF-8 text."),
        ("attribution_reason", "code,label\nFEE,a\0b\n", "The file holds NUL characters"),
        ("attribution_reason", "code\n" + "A" * MAX_BYTES, "The file has more than 2 MB."),
        ("ingestion_calendar", "code,weekend\nxetra,sat snu\n", "Row 2, weekend: there is no weekday &#x27;snu&#x27;; did you mean &#x27;sun&#x27;?"),
        ("ingestion_calendar", "code,weekend\nxetra,mon tue wed thu fri sat sun\n", "Row 2, weekend: a week needs at least one working day."),
        ("ingestion_holiday", "calendar,day\nxetr,2026-12-25\n", "Row 2, there is no calendar &#x27;xetr&#x27;"),
        ("ingestion_holiday", "calendar,day,name\n,25.12.2026,Christmas\n", "Row 2, there is no calendar"),
        ("ingestion_codetranslation", "source,field,a_value,b_value\nrihgt,currency,EUR,E\n", "there is no source &#x27;rihgt&#x27;; did you mean &#x27;right&#x27;?"),
        ("ingestion_codetranslation", "source,field,a_value,b_value\nright,curency,EUR,E\n", "compares no field &#x27;curency&#x27;; did you mean &#x27;currency&#x27;?"),
        ("ingestion_codetranslation", "source,field,a_value\nright,currency,EUR\n", "Column &#x27;b_value&#x27; is missing; every row needs it."),
    ],
)  # fmt: skip
def test_a_bad_row_is_a_sentence_and_changes_nothing(
    name: str, content: str | bytes, says: str, staff: Staff, preview: Preview
) -> None:
    staff("Administrator")
    before = [model.objects.count() for model in (Reason, Calendar, Holiday, CodeTranslation)]
    page = preview(name, content)
    text = page.content.decode()
    assert says in text
    assert "process_import" not in text and "Traceback" not in text
    assert [model.objects.count() for model in (Reason, Calendar, Holiday, CodeTranslation)] == before


def test_calendars_holidays_and_value_maps_reach_the_next_rule_set(
    trades: Reconciliation, staff: Staff, preview: Preview, confirm: Confirm
) -> None:
    staff("Administrator")
    before = freeze_rules(trades).version
    for name, content in (
        ("ingestion_calendar", "code,label,weekend\nxetra,Frankfurt,sat sun\n"),
        ("ingestion_holiday", "calendar,day,name\nxetra,2026-12-25,Christmas\nxetra,2026-12-26,\n"),
        ("ingestion_codetranslation", "source,field,a_value,b_value\nright,currency,EUR,E\n"),
    ):
        assert "Imported:" in confirm(name, preview(name, content))
    Reconciliation.objects.filter(pk=trades.pk).update(calendar=Calendar.objects.get(code="xetra"))
    trades.refresh_from_db()
    frozen = freeze_rules(trades)
    assert frozen.version == before + 1
    assert frozen.document["calendar"] == {"weekend": [6, 7], "holidays": ["2026-12-25", "2026-12-26"]}
    assert frozen.document["translations"] == {"currency": {"EUR": "E"}}
    update = "source,field,a_value,b_value\nright,currency,EUR,978\n"
    assert "0 new, 1 changed" in preview("ingestion_codetranslation", update).content.decode()
    Reconciliation.objects.filter(pk=trades.pk).update(calendar=None)
    assert problems() == []


def test_an_export_is_safe_and_imports_back_unchanged(
    client: Client, staff: Staff, preview: Preview, confirm: Confirm
) -> None:
    staff("Administrator")
    labels = ["=1+1", "'=kept", "-5", "@x", "two, with a comma"]
    rows = "".join(f'R{n},"{label}",true\n' for n, label in enumerate(labels))
    confirm("attribution_reason", preview("attribution_reason", "code,label,functional\n" + rows))
    held = dict(Reason.objects.filter(code__startswith="R").values_list("code", "label"))
    assert held["R0"] == "=1+1"
    answer = client.get(reverse("admin:attribution_reason_export"))
    text = answer.content.decode()
    assert answer.headers["Content-Disposition"].startswith("attachment") and "R0,'=1+1,true,true," in text
    assert not re.search(r"(?m)(^|,)[=@+]", text)
    page = preview("attribution_reason", text).content.decode()
    assert "0 new, 0 changed" in page


def test_an_altered_preview_is_refused(client: Client, staff: Staff, trades: Reconciliation) -> None:
    staff("Manager")
    url = reverse("admin:attribution_reason_process_import")
    forged = {"import_file_name": "forged:a:b", "original_file_name": "x.csv", "format": "0", "resource": "0"}
    page = client.post(url, forged, follow=True).content.decode()
    assert "Give the file again." in page


def test_what_changed_since_the_preview_is_not_imported(
    define: Callable[[str], object], staff: Staff, preview: Preview, confirm: Confirm
) -> None:
    staff("Administrator")
    define(DEFINITION + "calendars: {xetra: {}}\n")
    page = preview("ingestion_holiday", "calendar,day,name\nxetra,2026-12-25,Christmas\n")
    Calendar.objects.filter(code="xetra").update(code="frankfurt")
    assert "Nothing was imported. Row 2, there is no calendar" in confirm("ingestion_holiday", page)
    assert not Holiday.objects.exists()


def test_forms_write_through_the_services(client: Client, staff: Staff, trades: Reconciliation) -> None:
    staff("Administrator")
    add = "admin:{}_add".format
    client.post(reverse(add("attribution_reason")), {"code": "FEE", "functional": "true", "active": "on"})
    client.post(
        reverse(add("ingestion_calendar")),
        {"code": "xetra", "weekend": [6, 7], "holidays-TOTAL_FORMS": 0, "holidays-INITIAL_FORMS": 0},
    )
    calendar = Calendar.objects.get()
    client.post(reverse(add("ingestion_holiday")), {"calendar": calendar.pk, "day": "2026-12-25", "name": "Christmas"})
    entry = {"source": trades.b_id, "field": "currency", "a_value": "EUR", "b_value": "E"}
    client.post(reverse(add("ingestion_codetranslation")), entry)
    client.post(
        reverse(add("reconciliation_team")),
        {"code": "desk", "label": "Desk", "scopes-TOTAL_FORMS": 0, "scopes-INITIAL_FORMS": 0},
    )
    assert (calendar.weekend, calendar.holidays.count()) == ([6, 7], 1)
    assert Reason.objects.filter(code="FEE", functional=True).exists() and CodeTranslation.objects.exists()
    assert Team.objects.exists() and problems() == []
    wrong = client.post(reverse(add("ingestion_codetranslation")), entry | {"field": "curency"}).content.decode()
    assert "did you mean &#x27;currency&#x27;?" in wrong
    unknown = Reason.objects.get(code="UNKNOWN")
    change = reverse("admin:attribution_reason_change", args=[unknown.pk])
    assert "UNKNOWN stays active" in client.post(change, {"functional": "unknown"}).content.decode()
    for name, pk in (("holiday", Holiday.objects.get().pk), ("codetranslation", CodeTranslation.objects.get().pk)):
        assert client.get(reverse(f"admin:ingestion_{name}_change", args=[pk])).status_code == 200
        client.post(reverse(f"admin:ingestion_{name}_delete", args=[pk]), {"post": "yes"})
    assert client.get(reverse("admin:ingestion_calendar_change", args=[calendar.pk])).status_code == 200
    assert not Holiday.objects.exists() and not CodeTranslation.objects.exists() and problems() == []


def test_another_teams_value_maps_are_closed(
    client: Client, trades: Reconciliation, staff: Staff, preview: Preview
) -> None:
    Reconciliation.objects.filter(pk=trades.pk).update(team=Team.objects.create(code="desk"))
    staff("Manager")
    page = preview("ingestion_codetranslation", "source,field,a_value,b_value\nright,currency,EUR,E\n")
    assert "there is no source &#x27;right&#x27;" in page.content.decode()
