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
from ingestion.models import Delivery, Normalization, QuarantinedRow, Tombstone
from ingestion.retention import Forgotten, due, forget
from reconciliation.models import Reconciliation, Run
from review.journey import journey
from review.repair_rules import RepairRefused
from review.repairs import read_again, repair
from tests.conftest import DAY, DEFINITION, HEADER, problems, row

KEPT = DEFINITION.replace(
    "  left:\n    record_type: trade\n", "  left:\n    record_type: trade\n    retention: {raw_days: 30}\n"
)
LATER = dt.timedelta(days=31)


def _verify() -> str:
    out = StringIO()
    call_command("verify", stdout=out)
    return out.getvalue()


LEFT = "\n".join([HEADER, row("A"), row("B", "9.00"), "short,row"]) + "\n"


@pytest.fixture
def held(
    trades: Reconciliation, define: Callable[[str], list[Change]], deliver: Callable[..., Normalization]
) -> Delivery:
    """A delivery whose source keeps raw bytes for thirty days."""
    deliver("left", LEFT)
    assert list(map(str, define(KEPT))) == ["source left: changed raw_days"]
    assert list(due(timezone.now())) == []
    return Delivery.objects.get(source__code="left")


@pytest.fixture
def forget_it(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Callable[[], Forgotten]:
    """Carry retention out as it will be in a month, to the last step."""

    def run() -> Forgotten:
        with django_capture_on_commit_callbacks(execute=True):
            return forget(now=timezone.now() + LATER, by="test")

    return run


def test_the_bytes_are_gone_and_everything_else_stands(
    held: Delivery, reconcile: Callable[..., Run], forget_it: Callable[[], Forgotten], lake: Path, client: Client,
    person: Callable[[str], User], define: Callable[[str], list[Change]], tmp_path: Path,
) -> None:  # fmt: skip
    run, by = reconcile(None, [row("A"), row("B", "5.00")]), person("Supervisor")
    assert (forget_it().deliveries, (lake / held.path).exists()) == (1, False)
    stone = Tombstone.objects.get()
    assert (stone.rule, stone.deleted_by) == ("left: raw bytes are kept for 30 days", "test")
    assert (lake / Delivery.objects.get(source__code="right").path).exists()
    assert f"1 deliveries are kept without their {held.size} raw bytes" in _verify()
    told = [event for event in journey(run.reconciliation, "B").events if event.glyph == "file"]
    assert "Its raw bytes were deleted on" in told[0].detail and told[0].lines == ()
    client.force_login(by)
    page = client.get(f"/deliveries/{held.pk}/").content.decode()
    assert stone.rule in page and client.get(f"/api/v1/deliveries/{held.pk}").json()["raw_deleted_at"]
    broken = QuarantinedRow.objects.get()
    assert client.get(f"/quarantine/{broken.pk}/").status_code == 200  # its raw text is kept with its reason
    repair(row=broken, cells={"id": "C", "amount": "1.00"}, comment="by letter", by=by)
    define(KEPT.replace("id: {column: id}", "id: {column: id, clean: [upper]}"))
    with pytest.raises(RepairRefused, match="no longer kept"):
        read_again(delivery=held, by=by)
    assert plan_normalization(held).mapping.version == 1  # a run of the date takes the records as they were made
    accepted = accept_delivery(source=held.source, file=tmp_path / "left.csv", business_date=DAY)
    assert not accepted.is_new and not (lake / held.path).exists()  # the same bytes are the delivery already held
    assert tidy(timezone.now() + LATER) == [] and problems() == []


def test_verify_names_bytes_that_are_there_again_and_a_stone_that_is_not(
    held: Delivery, forget_it: Callable[[], Forgotten], lake: Path
) -> None:
    forget_it()
    for statement in ("UPDATE ingestion_tombstone SET rule = 'x'", "DELETE FROM ingestion_tombstone"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            assert any("tombstone" in it for it in problems())
            transaction.set_rollback(True)
    (lake / held.path).write_bytes(b"another file")
    assert any("but the file is there" in it for it in problems())
    forget_it()  # as after a deletion that was cut off
    assert problems() == []


def test_what_was_changed_or_never_read_stays(held: Delivery, lake: Path) -> None:
    Delivery.objects.update(received_at=timezone.now() - LATER)
    Normalization.objects.update(state="failed")
    assert list(due(timezone.now())) == []
    Normalization.objects.update(state="done")
    (lake / held.path).write_bytes(b"another file")
    with pytest.raises(CommandError, match="1 files are not as they were delivered"):
        call_command("retain")
    forget_raw_bytes()
    assert not Tombstone.objects.exists() and (lake / held.path).exists()


@pytest.mark.parametrize("given", ["{raw_days: 0}", "{raw_days: soon}", "{raw_days: 99999999}", "{days: 3}", "{}"])
def test_a_wrong_retention_is_said(define: Callable[[str], list[Change]], given: str) -> None:
    with pytest.raises(BadDefinition, match=r"sources\.left\.retention"):
        define(KEPT.replace("{raw_days: 30}", given))
