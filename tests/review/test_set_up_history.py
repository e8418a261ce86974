"""The history of the set-up: every version of every thing, by triggers, with who wrote it; and a hand that wrote past the services."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from config.definitions.apply import apply_definition
from ingestion.calendars import drop_holidays, put_calendar, put_holiday
from ingestion.history import begin_histories
from ingestion.models import Calendar, Holiday, Source
from ingestion.origin import coming_from
from ingestion.schedules import RUN, put_schedule
from reconciliation.models import Reconciliation, Team
from review.set_up_history import versions_of
from tests.conftest import DEFINITION, problems
from tests.standing import standing_trades  # noqa: F401

Person = Callable[..., User]


def told(kind: str, pk: int) -> list[tuple[str, str, dict[str, tuple[str | None, str | None]]]]:
    """Who did what, and what changed, newest first."""
    found = versions_of(kind, pk)[1]
    return [(it.by, it.did, {one.field: (one.before, one.after) for one in it.changes}) for it in found]


def test_a_definition_that_is_applied_again_leaves_its_versions(trades: Reconciliation, tmp_path: Path) -> None:
    apply_definition(
        DEFINITION.replace("0.005", "0.01").replace("a: left", "label: All trades\n    a: left"), tmp_path, by="ann"
    )
    newest, first = told("reconciliation", trades.pk)
    assert newest == (
        "ann",
        "Changed",
        {"label": (None, "All trades"), "rules.compare.amount.absolute": ("0.005", "0.01")},
    )
    assert first[1] == "Added" and first[2]["code"] == (None, "trades")
    apply_definition(DEFINITION.replace("column: amount", "column: value"), tmp_path, by="bob")
    mapping = Source.objects.get(code="left").current_mapping()
    assert told("mapping", mapping.pk)[0][0] == "bob"
    assert problems() == []


def test_what_was_removed_keeps_its_history(db: None) -> None:
    with coming_from("admin", actor=lambda: None):
        put_calendar(code="target", label="", weekend=[6, 7])
        calendar = Calendar.objects.get(code="target")
        put_holiday(calendar=calendar, day=dt.date(2026, 12, 25), name="Christmas")
        put_holiday(calendar=calendar, day=dt.date(2026, 12, 25), name="Noël")
        pk = Holiday.objects.get().pk
        drop_holidays(calendar=calendar, days=[dt.date(2026, 12, 25)])
    removed, renamed, added = told("holiday", pk)
    assert (removed[1], renamed[1], added[1]) == ("Removed", "Changed", "Added")
    assert renamed[2] == {"name": ("Christmas", "Noël")} and removed[2]["name"] == ("Noël", None)


def test_a_schedule_keeps_its_versions_and_not_what_beat_counts(trades: Reconciliation) -> None:
    put_schedule(task=RUN, code="trades", text="every 5 minutes")
    row = PeriodicTask.objects.get(name="Run trades")
    put_schedule(task=RUN, code="trades", text="every 5 minutes", enabled=False)
    PeriodicTask.objects.filter(pk=row.pk).update(total_run_count=7)
    assert [(did, changes.get("Enabled", changes.get("enabled"))) for _, did, changes in told("schedule", row.pk)][0][
        0
    ] == "Changed"
    assert len(told("schedule", row.pk)) == 2


def test_a_hand_that_writes_past_the_services_shows(trades: Reconciliation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pghistory.context_metadata', '', true)")  # another session has none
        cursor.execute("UPDATE reconciliation_reconciliation SET label = 'mine'")
    by, did, changes = told("reconciliation", trades.pk)[0]
    assert (by, did, changes) == ("by hand", "Changed", {"label": (None, "mine")})
    assert any("was changed by hand" in sentence for sentence in problems())


@pytest.mark.parametrize("statement", ["UPDATE {} SET label = 'x'", "DELETE FROM {}"])
def test_nobody_changes_a_version(trades: Reconciliation, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format("reconciliation_reconciliationevent"))


def test_it_is_shown_with_its_diff_and_a_way_to_the_request(
    trades: Reconciliation, client: Client, staff: Callable[[str], User]
) -> None:
    staff("Administrator")
    url = reverse("admin:reconciliation_reconciliation_change", args=[trades.pk])
    given = {
        "runs_on_arrival": "on", "trains_after": 50, "rule_sets-TOTAL_FORMS": 0, "rule_sets-INITIAL_FORMS": 0,
        "team_scopes-TOTAL_FORMS": 0, "team_scopes-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert client.post(url, given).status_code == 302
    page = client.get(reverse("set_up_history", args=["reconciliation", trades.pk])).content.decode()
    assert "History of reconciliation trades" in page and "administrator" in page and "request=" in page
    assert "<mark" in page
    admin = client.get(reverse("admin:reconciliation_reconciliation_history", args=[trades.pk])).content.decode()
    assert reverse("set_up_history", args=["reconciliation", trades.pk]) in admin


def test_a_manager_sees_the_history_of_their_own(trades: Reconciliation, client: Client, person: Person) -> None:
    client.force_login(person("Manager"))
    left = Source.objects.get(code="left")
    urls = [reverse("set_up_history", args=given) for given in (["reconciliation", trades.pk], ["source", left.pk])]
    assert [client.get(url).status_code for url in urls] == [200, 200]
    trades.team = Team.objects.create(code="others")
    trades.save()
    assert [client.get(url).status_code for url in urls] == [404, 404]
    assert client.get(reverse("set_up_history", args=["team", trades.team.pk])).status_code == 404
    assert client.get(reverse("set_up_history", args=["nothing", 1])).status_code == 404


def test_what_stood_before_begins_as_it_stood(trades: Reconciliation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE reconciliation_reconciliationevent DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM reconciliation_reconciliationevent")
        cursor.execute("ALTER TABLE reconciliation_reconciliationevent ENABLE TRIGGER USER")
    begin_histories()
    begin_histories()
    ((by, did, changes),) = told("reconciliation", trades.pk)
    assert (by, did, changes["code"]) == ("", "Kept from here on", (None, "trades"))
