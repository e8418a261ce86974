"""Schedules, deadlines and alert targets in the admin: written as people write them, refused with a sentence, by role and team."""

import datetime as dt
import json
from collections.abc import Callable, Mapping

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from config import tasks
from ingestion import custody
from ingestion.clock import database_now
from ingestion.deadlines import put_deadline
from ingestion.expectations import plan_expectations, raise_alerts
from ingestion.models import AlertTarget, Deadline, Notice, Source, Tick
from ingestion.schedules import PULL, RUN, put_schedule
from reconciliation.models import Reconciliation, Team
from tests.conftest import problems
from tests.standing import standing_trades  # noqa: F401

Staff = Callable[[str], User]
BEAT = "django_celery_beat_periodictask"


@pytest.fixture
def administrator(trades: Reconciliation, staff: Staff) -> User:
    """An administrator, signed in, beside `trades` whose side `left` is pulled."""
    Source.objects.filter(code="left").update(kind="drop")
    custody.seal(Source.objects.all())
    return staff("Administrator")


def post(client: Client, name: str, given: Mapping[str, object], pk: int | None = None) -> str:
    """Send an admin form; gives the page that follows."""
    return client.post(reverse(f"admin:{name}", args=[pk] if pk else []), given, follow=True).content.decode()


@pytest.mark.usefixtures("administrator")
def test_a_schedule_is_written_as_a_text_and_is_what_beat_reads(client: Client) -> None:
    page = client.get(reverse(f"admin:{BEAT}_add")).content.decode()
    assert "Pull left" in page and "Run trades" in page and "Pull right" not in page
    said = post(client, f"{BEAT}_add", {"what": f"{PULL} left", "times": "0 18 * * mon-fri", "enabled": "on"})
    assert "Schedule pull left: 0 18 * * mon-fri" in said
    held = PeriodicTask.objects.get(name="Pull left")
    assert (held.task, json.loads(held.kwargs)) == (PULL, {"code": "left"})
    assert (tasks.pull_on_schedule.name, tasks.run_on_schedule.name) == (PULL, RUN)
    assert str(held.crontab.timezone) == "UTC"
    due = dt.datetime(2026, 11, 20, 18, tzinfo=dt.UTC)
    Tick.objects.create(task=PULL, code="left", due_at=due, claimed_at=due, next_at=due)
    assert "20 Nov 2026 18:00" in client.get(reverse(f"admin:{BEAT}_changelist")).content.decode()
    post(client, f"{BEAT}_change", {"times": "every 5 minutes"}, held.pk)
    held.refresh_from_db()
    assert (str(held.interval), held.crontab, held.enabled) == ("every 5 minutes", None, False)
    assert "Pull left" not in client.get(reverse(f"admin:{BEAT}_add")).content.decode()
    post(client, f"{BEAT}_delete", {"post": "yes"}, held.pk)
    assert not PeriodicTask.objects.filter(name="Pull left").exists()


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"what": f"{PULL} left", "times": "0 25 * * *"}, "is no schedule (Invalid end range: 25 &gt; 23.)"),
        ({"what": f"{PULL} left", "times": ""}, "This field is required."),
        ({"what": f"{PULL} right", "times": "every hour"}, "is not one of the available choices"),
        ({"what": "os.system left", "times": "every hour"}, "is not one of the available choices"),
    ],
)
def test_what_cannot_be_scheduled_is_said(client: Client, given: dict[str, object], sentence: str) -> None:
    assert sentence in post(client, f"{BEAT}_add", given)
    assert not PeriodicTask.objects.exists()


@pytest.mark.usefixtures("administrator")
def test_the_products_own_tasks_are_shown_and_stay(client: Client) -> None:
    sweep = PeriodicTask.objects.create(
        name="sweep", task="config.tasks.sweep", crontab=CrontabSchedule.objects.create(minute="0")
    )
    page = client.get(reverse(f"admin:{BEAT}_change", args=[sweep.pk]))
    assert page.status_code == 200 and "0 * * * *" in page.content.decode()
    for door in ("change", "delete"):
        assert client.post(reverse(f"admin:{BEAT}_{door}", args=[sweep.pk]), {"post": "yes"}).status_code == 403
    assert "sweep" in client.get(reverse(f"admin:{BEAT}_changelist")).content.decode()


@pytest.mark.usefixtures("administrator")
def test_a_deadline_goes_through_the_service(client: Client) -> None:
    left = Source.objects.get(code="left")
    given: dict[str, object] = {"source": left.pk, "at": "18:30", "zone": "Europe/Berlin", "after": 0, "grace": 15}
    refused = post(client, "ingestion_deadline_add", given | {"grace": 2000})
    assert "The grace is at most 1440 minutes." in refused
    post(client, "ingestion_deadline_add", given)
    held = Deadline.objects.get()
    assert (f"{held.at:%H:%M}", held.zone, held.grace) == ("18:30", "Europe/Berlin", 15)
    post(client, "ingestion_deadline_change", given | {"at": "19:00"}, held.pk)
    assert f"{Deadline.objects.get().at:%H:%M}" == "19:00"
    shown = client.get(reverse("admin:ingestion_source_change", args=[left.pk])).content.decode()
    assert "19:00 Europe/Berlin, 15 minutes of grace" in shown and "every minute" in shown
    assert problems() == []
    post(client, "ingestion_deadline_delete", {"post": "yes"}, held.pk)
    assert not Deadline.objects.exists()
    assert problems() == []


@pytest.mark.usefixtures("administrator")
def test_a_target_holds_no_secret_and_a_dead_letter_is_sent_again(client: Client) -> None:
    given: dict[str, object] = {
        "code": "pager",
        "kind": "webhook",
        "address": "https://pager.example/in",
        "active": "on",
    }
    assert "never the secret itself" in post(client, "ingestion_alerttarget_add", given | {"secret": "hunter2"})
    post(client, "ingestion_alerttarget_add", given | {"secret": "TIEOUT_PAGER"})
    target = AlertTarget.objects.get()
    source, now = Source.objects.get(code="left"), database_now()
    before = now.replace(hour=0, minute=0, second=0)
    put_deadline(source=source, at=before.time(), zone="UTC", after=0, grace=0, now=before.replace(year=2025))
    plan_expectations(now)
    raise_alerts(now)
    notice = Notice.objects.latest("pk")
    Notice.objects.filter(pk=notice.pk).update(dead_at=now, attempts=6)
    chosen = {"action": "send_again", "_selected_action": [notice.pk]}
    assert "1 dead letters will be sent again" in post(client, "ingestion_notice_changelist", chosen)
    notice.refresh_from_db()
    assert (notice.state, notice.attempts, notice.target) == ("waiting", 0, target)
    for name in ("alert", "notice", "expectation", "tick"):
        assert client.get(reverse(f"admin:ingestion_{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:ingestion_alert_change", args=[notice.alert_id])).status_code == 200
    assert problems() == []


ON_ARRIVAL = {
    "runs_on_arrival": "on",
    "trains_after": "40",
    "rule_sets-TOTAL_FORMS": "0",
    "rule_sets-INITIAL_FORMS": "0",
    "team_scopes-TOTAL_FORMS": "0",
    "team_scopes-INITIAL_FORMS": "0",
}


def test_who_changes_rules_says_when_runs_and_trainings_start(
    trades: Reconciliation, client: Client, staff: Staff
) -> None:
    staff("Manager")
    post(client, "reconciliation_reconciliation_change", ON_ARRIVAL, trades.pk)
    trades.refresh_from_db()
    assert (trades.runs_on_arrival, trades.trains_after, trades.four_eyes) == (True, 40, False)
    assert problems() == []


@pytest.mark.parametrize("role", ["Analyst", "Supervisor", "Manager", "Auditor"])
def test_others_look_and_change_nothing(role: str, trades: Reconciliation, client: Client, staff: Staff) -> None:
    staff(role)
    put_schedule(task=RUN, code="trades", text="every hour")
    for name in (BEAT, "ingestion_deadline", "ingestion_alerttarget"):
        assert client.get(reverse(f"admin:{name}_add")).status_code == 403
    assert client.get(reverse(f"admin:{BEAT}_changelist")).status_code == 403
    assert client.get(reverse("admin:ingestion_deadline_changelist")).status_code == 200
    door = reverse("admin:reconciliation_reconciliation_change", args=[trades.pk])
    assert client.post(door, ON_ARRIVAL).status_code == (302 if role == "Manager" else 403)


def test_deadlines_of_another_team_are_closed(trades: Reconciliation, client: Client, staff: Staff) -> None:
    source, now = Source.objects.get(code="left"), database_now()
    put_deadline(source=source, at=now.time(), zone="UTC", after=0, grace=0, now=now)
    held = Deadline.objects.get()
    staff("Auditor")
    assert client.get(reverse("admin:ingestion_deadline_change", args=[held.pk])).status_code == 200
    staff("Analyst")
    Reconciliation.objects.update(team=Team.objects.create(code="others"))
    assert client.get(reverse("admin:ingestion_deadline_change", args=[held.pk])).status_code == 302
