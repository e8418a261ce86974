"""Raw bytes go when their source's time is over; a tombstone stays, verify balances and says so."""

import datetime as dt
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from config.definitions.faults import BadDefinition
from config.tasks import forget_raw_bytes
from config.tidying import tidy
from ingestion.changes import Change
from ingestion.deliveries import accept_delivery, plan_normalization
from ingestion.models import Delivery, Normalization, QuarantinedRow, Source, Tombstone
from ingestion.retention import due, forget
from reconciliation.models import Run
from reconciliation.runs import start_run
from review.journey import journey
from review.repairs import RepairRefused, read_again, repair
from tests.conftest import DAY, DEFINITION, problems, row

KEPT = DEFINITION.replace(
    "  left:\n    record_type: trade\n", "  left:\n    record_type: trade\n    retention: {raw_days: 30}\n"
)
LATER = dt.timedelta(days=31)


def _verify() -> str:
    out = StringIO()
    call_command("verify", stdout=out)
    return out.getvalue()


@pytest.fixture
def forgotten(
    reconcile: Callable[..., Run], define: Callable[[str], list[Change]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Delivery:  # fmt: skip
    """A delivery of a run whose raw bytes were deleted."""
    reconcile([row("A"), row("B", "9.00"), "short,row"], [row("A"), row("B", "5.00")])
    assert list(map(str, define(KEPT))) == ["source left: changed raw_days"]
    assert list(due(timezone.now())) == []
    with django_capture_on_commit_callbacks(execute=True):
        done = forget(now=timezone.now() + LATER, by="test")
    assert (done.deliveries, done.kept) == (1, [])
    return Delivery.objects.get(source__code="left")


def test_the_bytes_are_gone_and_everything_else_stands(
    forgotten: Delivery, lake: Path, client: Client, person: Callable[[str], User], tmp_path: Path
) -> None:
    stone = forgotten.tombstone
    assert stone.rule == "left: raw bytes are kept for 30 days" and not (lake / forgotten.path).exists()
    assert (lake / Delivery.objects.get(source__code="right").path).exists()
    assert f"1 deliveries are kept without their {forgotten.size} raw bytes" in _verify()
    told = [event for event in journey(Run.objects.get().reconciliation, "B").events if event.glyph == "file"]
    assert "Its raw bytes were deleted on" in told[0].detail and told[0].lines == ()
    client.force_login(person("Supervisor"))
    page = client.get(f"/deliveries/{forgotten.pk}/").content.decode()
    assert stone.rule in page and client.get(f"/api/v1/deliveries/{forgotten.pk}").json()["raw_deleted_at"]
    row_ = QuarantinedRow.objects.get()
    assert client.get(f"/quarantine/{row_.pk}/").status_code == 200  # its raw text is kept with its reason
    repair(row=row_, cells={"id": "C", "amount": "1.00"}, comment="by letter", by=User.objects.get())
    assert tidy(timezone.now() + LATER) == [] and problems() == []


def test_a_delivery_without_bytes_is_never_read_again(
    forgotten: Delivery,
    define: Callable[[str], list[Change]],
    person: Callable[[str], User],
    tmp_path: Path,
    lake: Path,
) -> None:
    define(KEPT.replace("id: {column: id}", "id: {column: id, clean: [upper]}"))
    assert plan_normalization(forgotten).mapping.version == 1
    with pytest.raises(RepairRefused, match="no longer kept"):
        read_again(delivery=forgotten, by=person("Analyst"))
    run = start_run(reconciliation=Run.objects.get().reconciliation, business_date=DAY)
    call_command("reconcile", "trades", date=DAY)
    run.refresh_from_db()
    assert run.state == "done"
    again = tmp_path / "left.csv"  # the same bytes once more are the delivery already held, and stay deleted
    accepted = accept_delivery(source=Source.objects.get(code="left"), file=again, business_date=DAY)
    assert not accepted.is_new and not (lake / forgotten.path).exists() and problems() == []


def test_verify_names_bytes_that_are_there_again_and_a_stone_that_is_not(forgotten: Delivery, lake: Path) -> None:
    for statement in ("UPDATE ingestion_tombstone SET rule = 'x'", "DELETE FROM ingestion_tombstone"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            assert any("tombstone" in it for it in problems())
            transaction.set_rollback(True)
    (lake / forgotten.path).write_bytes(b"another file")
    assert any("but the file is there" in it for it in problems())
    forget(now=timezone.now() + LATER, by="test")  # as after a deletion that was cut off
    assert problems() == []


def test_what_was_changed_or_never_read_stays(
    reconcile: Callable[..., Run], define: Callable[[str], list[Change]], lake: Path
) -> None:
    run = reconcile([row("A")], [row("A")])
    define(KEPT)
    Delivery.objects.update(received_at=timezone.now() - LATER)
    delivery = Delivery.objects.get(source__code="left")
    Normalization.objects.filter(delivery=delivery).update(state="failed")
    assert list(due(timezone.now())) == []
    Normalization.objects.filter(delivery=delivery).update(state="done")
    (lake / delivery.path).write_bytes(b"another file")
    with pytest.raises(CommandError, match="1 files are not as they were delivered"):
        call_command("retain")
    forget_raw_bytes()
    assert run.state == "done" and not Tombstone.objects.exists() and (lake / delivery.path).exists()


@pytest.mark.parametrize("given", ["{raw_days: 0}", "{raw_days: soon}", "{raw_days: 99999999}", "{days: 3}", "{}"])
def test_a_wrong_retention_is_said(define: Callable[[str], list[Change]], given: str) -> None:
    with pytest.raises(BadDefinition, match=r"sources\.left\.retention"):
        define(KEPT.replace("{raw_days: 30}", given))
