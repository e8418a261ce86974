"""A run in the admin: started there, followed to its end, and said to be stalled where nobody works at it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from ingestion.models import Normalization
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import advance_run, start_run
from review.pages.progress import Progress, progress_of, with_former
from review.pages.remaining import Former
from tests.conftest import DAY, HEADER, problems, row

HTMX = {"HX-Request": "true"}
Staff = Callable[[str], User]


@pytest.fixture
def active(trades: Reconciliation, deliver: Callable[..., Normalization]) -> Run:
    """A run that is cut into steps, of which none is done."""
    for source in ("left", "right"):
        deliver(source, "\n".join([HEADER, row("A")]) + "\n")
    return advance_run(start_run(reconciliation=trades, business_date=DAY, by="test"))


def followed(client: Client, run: Run, seen: str = "") -> tuple[int, str, bool]:
    """Status, text and whether the whole page is asked for anew."""
    url = reverse("admin:reconciliation_run_followed", args=[run.pk])
    answer = client.get(url, {"seen": seen}, headers=HTMX)
    return answer.status_code, answer.content.decode(), answer.headers.get("HX-Refresh") == "true"


def told(run: Run) -> Progress:
    """How far it is."""
    found = with_former(Run.objects.filter(pk=run.pk)).get()
    return progress_of(found, found.inputs.select_related("normalization__delivery"))


def test_a_run_is_started_in_the_admin(trades: Reconciliation, client: Client, staff: Staff) -> None:
    user = staff("Analyst")
    assert "Start a run" in client.get(reverse("admin:reconciliation_run_changelist")).content.decode()
    start = reverse("admin:reconciliation_run_start")
    answer = client.post(start, {"reconciliation": trades.code, "date": str(DAY)})
    run = Run.objects.get()
    assert answer.headers["Location"] == reverse("admin:reconciliation_run_change", args=[run.pk])
    assert (run.started_by, run.business_date) == (user.username, DAY)
    wrong = client.post(start, {"reconciliation": trades.code, "date": "20.11."}, follow=True).content.decode()
    assert "is no date such as" in wrong and Run.objects.count() == 1 and problems() == []
    staff("Auditor")
    assert client.post(start, {"reconciliation": trades.code, "date": str(DAY)}).status_code == 403


def test_an_active_run_is_asked_for_until_it_ends(active: Run, client: Client, staff: Staff) -> None:
    staff("Auditor")
    page = client.get(reverse("admin:reconciliation_run_change", args=[active.pk])).content.decode()
    mark = told(active).mark
    assert f'followed/?seen={mark}"' in page and 'hx-trigger="every 2s"' in page and 'aria-live="polite"' in page
    assert followed(client, active, seen=mark) == (204, "", False)
    status, text, is_over = followed(client, active, seen="before")
    assert (status, is_over) == (200, False) and "2 of 4 steps done" in text
    Run.objects.filter(pk=active.pk).update(state="failed", error="the disk is full", finished_at=timezone.now())
    status, text, is_over = followed(client, active, seen=mark)
    assert is_over and "the disk is full" in text and "hx-get" not in text


def test_a_silent_worker_is_named_after_a_minute(active: Run, client: Client, staff: Staff, settings: Settings) -> None:
    staff("Auditor")
    step = active.steps.get(step="diff")
    for silence, is_stalled in ((50, False), (61, True)):
        lease = timezone.now() - timedelta(seconds=silence) + settings.STEP_LEASE
        active.steps.filter(pk=step.pk).update(state="running", worker="diff@far", lease_until=lease)
        _, text, _ = followed(client, active)
        assert ("Stalled: diff@far gave no sign of life" in text) is is_stalled


def test_the_time_left_follows_the_last_run(active: Run) -> None:
    assert told(active).told == "2 of 4 steps done"
    report = {"sides": {"a": {"received": 1}, "b": {"received": 1}}, "seconds": {"diff": 20, "attribute": 21}}
    former = Former(1, DAY, report)
    assert Progress(active, told(active).steps, former).told == "2 of 4 steps done, about 45 s left"
