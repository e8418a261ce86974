"""Schedules, deadlines and alert targets of a definition: applied, exported, refused with their place."""

from collections.abc import Callable

import pytest
from django_celery_beat.models import PeriodicTask

from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from ingestion.models import AlertTarget, Deadline
from reconciliation.models import Reconciliation
from tests.conftest import DEFINITION

Define = Callable[[str], list[object]]
TIMED = DEFINITION.replace(
    "  left:\n",
    "  left:\n"
    "    kind: drop\n"
    "    connection: {url: 'file:///nowhere/*.csv'}\n"
    "    schedule: '*/15 6-20 * * mon-fri'\n"
    "    deadline: {at: 18:30, zone: Europe/Berlin, after: 1, grace: 15}\n",
).replace(
    "    a: left\n",
    "    a: left\n    runs: {on_arrival: true, schedule: every 2 hours}\n    training: {after: 50, schedule: 0 2 * * mon-fri, promotes: true}\n",
) + (
    "alerts:\n"
    "  operations: {email: operations@example.com}\n"
    "  pager: {webhook: 'https://pager.example.com/tieout', secret: {env: TIEOUT_PAGER}, sources: [left]}\n"
)


def test_times_are_applied_once_and_exported_as_they_were(define: Define) -> None:
    said = [str(it) for it in define(TIMED)]
    assert "schedule pull left: */15 6-20 * * mon-fri" in said
    assert "schedule run trades: every 2 hours" in said
    assert "deadline of left: 18:30 Europe/Berlin, 1 business days after, 15 minutes of grace" in said
    assert {"alert target operations: created", "alert target pager: created"} < set(said)
    assert define(TIMED) == []
    trades = Reconciliation.objects.get()
    assert trades.runs_on_arrival
    assert (trades.trains_after, trades.promotes_by_rule) == (50, True)
    exported = export_definition(trades)
    assert define(exported) == []
    for text in ("schedule: '*/15 6-20 * * mon-fri'", "zone: Europe/Berlin", "on_arrival: true", "env: TIEOUT_PAGER"):
        assert text.replace("'", "") in exported.replace("'", "").replace('"', "")


def test_what_a_definition_no_longer_says_goes(define: Define) -> None:
    define(TIMED)
    said = [
        str(it)
        for it in define(TIMED.split("alerts:")[0].replace("    schedule:", "    #").replace("    deadline:", "    #"))
    ]
    assert said == ["schedule pull left: removed", "deadline of left: removed"]
    assert not Deadline.objects.exists()
    assert [it.name for it in PeriodicTask.objects.filter(task__startswith="config.tasks.run_on")] == ["Run trades"]
    assert AlertTarget.objects.count() == 2  # who is told stays: other definitions may rely on it


def test_a_schedule_that_was_switched_off_stays_off(define: Define) -> None:
    define(TIMED)
    PeriodicTask.objects.filter(name="Pull left").update(enabled=False)
    assert define(TIMED) == []
    define(TIMED.replace("*/15 6-20", "*/30 6-20"))
    assert not PeriodicTask.objects.get(name="Pull left").enabled


@pytest.mark.parametrize(
    ("there", "instead", "sentence"),
    [
        ("'*/15 6-20 * * mon-fri'", "0 25 * * *", "sources.left.schedule: '0 25 * * *' is no schedule (Invalid end range"),
        ("'*/15 6-20 * * mon-fri'", "sometimes", "write five fields of cron such as"),
        ("every 2 hours", "every 0 hours", "reconciliations.trades.runs.schedule: 'every 0 hours' is no schedule"),
        ("on_arrival", "on_arival", "reconciliations.trades.runs.on_arival: there is no key 'on_arival' here; did you mean"),
        ("on_arrival: true", "on_arrival: 7", "reconciliations.trades.runs.on_arrival: this must be true or false"),
        ("after: 50", "after: -1", "reconciliations.trades.training.after: it is a number of new corrections, or 0 for never"),
        ("0 2 * * mon-fri", "nightly", "reconciliations.trades.training.schedule: 'nightly' is no schedule"),
        ("promotes: true", "promote: true", "there is no key 'promote' here; did you mean 'promotes'?"),
        ("18:30", "25:30", "sources.left.deadline.at: it is a local time of 24 hours"),
        ("Europe/Berlin", "Europe/Berln", "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        ("after: 1", "after: soon", "sources.left.deadline.after: it is a number of business days, at most 30"),
        ("grace: 15", "grace: -1", "sources.left.deadline.grace: it is a number of minutes, at most 1440"),
        ("operations@example.com", "nobody", "alerts.operations: 'nobody' is no e-mail address"),
        ("{env: TIEOUT_PAGER}", "{env: SECRET_KEY}", "alerts.pager: The secret is the name of a variable that begins with"),
        ("https://pager", "ftp://pager", "alerts.pager: 'ftp://pager.example.com/tieout' is no address"),
        ("https://pager", "https://me:pw@pager", "alerts.pager: An address holds no user or password"),
        ("sources: [left]", "team: nobody", "alerts.pager.team: there is no team 'nobody'"),
        ("sources: [left]", "sources: [lft]", "alerts.pager.sources[0]: there is no source 'lft'; did you mean 'left'?"),
        ("email: operations@example.com", "phone: '1'", "alerts.operations.phone: there is no key 'phone' here"),
        ("kind: drop\n    connection: {url: 'file:///nowhere/*.csv'}", "kind: push", "a source of kind 'push' hands its records over"),
    ],
)  # fmt: skip
def test_a_wrong_time_is_named_and_nothing_is_applied(define: Define, there: str, instead: str, sentence: str) -> None:
    assert there in TIMED
    with pytest.raises(BadDefinition) as refused:
        define(TIMED.replace(there, instead))
    assert sentence in str(refused.value)
    assert not Reconciliation.objects.exists()
    assert not AlertTarget.objects.exists()
