"""Control totals of manifests and bank statements: checked on arrival; what does not agree is told, alerted, never mended."""

import datetime as dt
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from ingestion.alerts import put_target
from ingestion.arrival import take_in
from ingestion.control_totals import ControlTotalMismatch, Declared
from ingestion.deliveries import normalize_delivery, plan_normalization
from ingestion.errors import IngestionError
from ingestion.mails import subject
from ingestion.models import Alert, Delivery, Normalization, Notice, Source
from reconciliation.models import Reconciliation
from review.tokens import make_token
from tests.conftest import HEADER, problems, row

WRONG = (
    "The manifest says 3 records, but the file has 2. The manifest says 1,000.50 amount in all, but the file has 1,020.5. "
    "Ask for the file again; nothing was stored."
)


@pytest.fixture
def file(trades: Reconciliation, tmp_path: Path) -> Path:
    """Two records, 1,020.50 in all, in groups and with a comma."""
    path = tmp_path / "left.csv"
    path.write_text(f"{HEADER}\n{row('A', '1000.50')}\n{row('B', '20.00')}\n", encoding="utf-8")
    return path


def handed_in(file: Path, declared: Declared | None) -> Normalization:
    """The reading of the file as a delivery of `left` with a manifest."""
    source = Source.objects.get(code="left")
    taken = take_in(source=source, file=file, name=file.name, given=dt.date(2026, 11, 20), by="test", declared=declared)
    return normalize_delivery(plan_normalization(taken.delivery))


def test_a_manifest_is_held_against_the_records(file: Path) -> None:
    put_target(code="desk", kind="email", address="desk@example.com", sources=[])
    with pytest.raises(ControlTotalMismatch, match="says 3 records") as told:
        handed_in(file, Declared.given(3, ["amount=1000.50"]))
    assert str(told.value) == WRONG
    failed = Normalization.objects.get()
    assert (failed.state, failed.error, failed.mismatches) == ("failed", WRONG, [WRONG])
    alert = Alert.objects.get()
    notice = Notice.objects.get()
    assert subject(notice) == "Tieout: left of 2026-11-20 does not agree with its control totals"
    assert alert.link == f"/deliveries/{failed.delivery_id}/" and notice.target.code == "desk"
    done = handed_in(file, Declared.given(2, ["amount=1020.5"]))
    assert (done.state, done.mismatches) == ("done", None)
    assert done.notes[-2:] == ["The manifest agrees: 2 records.", "The manifest agrees: 1,020.5 amount in all."]
    with pytest.raises(IngestionError, match="was read with other control totals"):
        handed_in(file, Declared.given(9, []))
    assert Alert.objects.count() == 1
    assert problems() == []


@pytest.mark.parametrize(
    "text", ["amount", "=5", "amount=much", "amount=NaN", "amount=1e99", "amount=1e99999999", "amount=1e-99999999", "a\0=x"],
)  # fmt: skip
def test_what_is_no_control_total_is_refused(text: str) -> None:
    with pytest.raises(IngestionError, match="is no control total"):
        Declared.given(None, [text])


def test_a_manifest_is_kept_as_the_database_can() -> None:
    declared = Declared.given(None, ["am\0ount=1.5"])
    assert declared is not None and declared.to_document() == {"records": None, "sums": {"amount": "1.5"}}
    with pytest.raises(IngestionError, match="two sums for one field"):
        Declared.given(None, ["amount=1", "amount=2"])


def test_a_manifest_by_command_and_by_rest(
    file: Path, client: Client, person: Callable[[str], User], tmp_path: Path
) -> None:
    given = {"date": dt.date(2026, 11, 20), "stdout": StringIO(), "stderr": StringIO()}
    with pytest.raises(CommandError, match="names|says|neither"):
        call_command("deliver", "left", file, sum=["fee=1"], **given)
    out = tmp_path / "out.json"
    call_command("deliver", "left", file, records=2, sum=["amount=1020.50"], json=str(out), **given)
    assert json.loads(out.read_text())["mismatches"] is None
    token = make_token(user=person("Administrator"), name="t", scopes=["read", "deliver"])
    upload = SimpleUploadedFile("b.csv", f"{HEADER}\n{row('A', '7.00')}\n".encode())
    answer = client.post(
        "/api/v1/deliveries/",
        {"source": "right", "date": "2026-11-20", "file": upload, "records": 1, "sums": ["amount=8.00"]},
        headers={"Authorization": f"Token {token}", "Idempotency-Key": "k"},
    )
    assert answer.status_code == 201, answer.json()
    with pytest.raises(ControlTotalMismatch):
        normalize_delivery(Normalization.objects.get(delivery=answer.json()["id"]))
    told = "The manifest says 8.00 amount in all, but the file has 7."
    client.force_login(person("Auditor"))
    assert told in client.get(reverse("delivery", args=[answer.json()["id"]])).content.decode()
    assert "not agree with its control totals" in client.get(reverse("dashboard")).content.decode()


def test_a_manifest_on_the_upload_page(file: Path, client: Client, staff: Callable[[str], User]) -> None:
    staff("Analyst")

    def shown(**manifest: str) -> Any:  # noqa: ANN401
        upload = SimpleUploadedFile("left.csv", file.read_bytes())
        answer = client.post(reverse("upload"), {"source": "left", "date": "2026-11-20", "file": upload, **manifest})
        return client.get(answer.headers["Location"]) if answer.status_code == 302 else answer

    assert "is no number of records" in shown(records="two").content.decode()
    assert "is no control total" in shown(sums="amount").content.decode()
    wrong = shown(records="3", sums="amount=1000.50").context["found"]
    assert (wrong.error, wrong.may_be_accepted) == (WRONG, False)
    right = shown(records="2", sums="amount=1020.50, amount=1020.5")
    assert "The manifest agrees: 2 records." in right.context["found"].notes
    client.post(right.request["PATH_INFO"] + "accept/")
    assert Delivery.objects.get().declared == {"records": 2, "sums": {"amount": "1020.5"}}


def test_a_statement_with_a_gap_is_loaded_and_alerted(
    define: Callable[[str], object], deliver: Callable[..., Normalization], shared: Path
) -> None:
    source = "{record_type: entry, mapping: {statement: {column: statement}, number: {column: entry}, amount: {column: amount}}}"
    define(
        "record_types: {entry: {fields: {statement: {type: text, key: true}, number: {type: text, key: true}, "
        f"amount: {{type: decimal}}}}}}}}\nsources: {{left: {source}, right: {source}}}\n"
        "reconciliations: {entries: {a: left, b: right}}\n"
    )
    odd = deliver("left", shared / "statements/mt940/jejik__abnamro.sta")
    assert (odd.state, odd.received) == ("done", 10)
    assert [it.split("gap ")[1] for it in odd.mismatches] == ["-2038.00.", "-1002.60."]
    assert Alert.objects.get().normalization == odd
    even = deliver("right", shared / "statements/mt940/jejik__generic.sta")
    assert (even.mismatches, Alert.objects.count()) == (None, 1)
    assert problems() == []
