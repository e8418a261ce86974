"""The inbox: an alert is one line while it lasts, is seen by who may see its thing, is read, muted, and mailed as chosen."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import fixtures

from ingestion.alerts import clear_events, put_target, raise_event, targets_of
from ingestion.models import Alert, Notice
from ingestion.notices import send_notice, to_send
from reconciliation.models import Reconciliation, Team
from review.inbox import choose, read_alerts, unread_of
from review.telling import write_digests, write_mails
from tests.conftest import row

Person = Callable[..., User]
EIGHT = dt.datetime(2026, 11, 26, 8, tzinfo=dt.UTC)


def failed(trades: Reconciliation, run: int, **more: object) -> Alert | None:
    """The alert of a run that failed."""
    given = {
        "event": "run.failed",
        "mark": "trades",
        "sentence": f"Run {run} of trades failed.",
        "link": f"/runs/{run}/",
    }
    given |= {"reconciliation": trades.pk, "occurrence": f"run {run}", "now": timezone.now(), "sources": [trades.a]}
    return raise_event(**{**given, **more})  # type: ignore[arg-type]


def unread(user: User) -> list[tuple[str, int]]:
    """Sentence and count of what is unread."""
    return list(unread_of(user).order_by("pk").values_list("sentence", "count"))


def test_what_repeats_is_one_line_with_a_count_and_unread_again(trades: Reconciliation, person: Person) -> None:
    analyst = person("Analyst")
    assert failed(trades, 1) and not failed(trades, 1) and not failed(trades, 2)
    assert unread(analyst) == [("Run 2 of trades failed.", 2)]
    assert read_alerts(by=analyst) == 1 and unread(analyst) == []
    failed(trades, 2)  # told again by a message that came twice
    assert unread(analyst) == []
    failed(trades, 3)
    assert unread(analyst) == [("Run 3 of trades failed.", 3)]
    assert clear_events(event="run.failed", marks=["trades"], now=timezone.now()) == 1
    assert failed(trades, 4) is not None and Alert.objects.count() == 2


def test_an_alert_is_seen_by_who_sees_its_thing(trades: Reconciliation, person: Person) -> None:
    inside, outside, auditor = person("Analyst", "inside"), person("Analyst", "outside"), person("Auditor")
    trades.team = Team.objects.create(code="desk")
    trades.team.members.add(inside)
    trades.save()
    failed(trades, 1)
    raise_event(event="export.ready", mark="export 1", sentence="Ready.", person=outside, now=timezone.now())
    raise_event(event="audit.broken", mark="7", sentence="Event 7 was changed.", now=timezone.now())
    told = {user.username: [said for said, _ in unread(user)] for user in (inside, outside, auditor)}
    assert told == {
        "inside": ["Run 1 of trades failed."],
        "outside": ["Ready."],
        auditor.username: ["Run 1 of trades failed.", "Event 7 was changed."],
    }
    assert unread(User.objects.create_user("nobody")) == []


def test_what_is_for_one_person_is_over_once_read(person: Person) -> None:
    analyst = person("Analyst")
    given = {
        "event": "comment.mention",
        "mark": "break 1",
        "sentence": "You are named.",
        "person": analyst,
        "link": "/breaks/1/",
    }
    for occurrence in ("comment 1", "comment 2"):
        raise_event(**given, occurrence=occurrence, now=timezone.now())
    assert unread(analyst) == [("You are named.", 2)]
    read_alerts(by=analyst)
    assert raise_event(**given, occurrence="comment 3", now=timezone.now()) is not None
    assert unread(analyst) == [("You are named.", 1)]


def test_a_team_target_hears_of_its_team_alone(trades: Reconciliation) -> None:
    other = Team.objects.create(code="other")
    trades.team = Team.objects.create(code="desk")
    trades.save()
    for code, team in (("ours", "desk"), ("theirs", other.code), ("everybody", None)):
        put_target(code=code, kind="email", address=f"{code}@example.com", sources=[], team=team)
    assert [it.code for it in targets_of(trades.a)] == ["ours", "everybody"]
    assert [it.code for it in targets_of(reconciliation=trades.pk)] == ["ours", "everybody"]
    assert [it.code for it in targets_of()] == ["everybody"]
    raise_event(
        event="export.ready", mark="1", sentence="Ready.", person=User.objects.create(username="x"), now=timezone.now()
    )
    assert not Notice.objects.exists()


def test_mails_go_at_once_or_once_a_day_as_chosen(
    trades: Reconciliation, person: Person, settings: fixtures.Settings
) -> None:
    settings.PUBLIC_URL = "https://tieout.example"
    people = {name: person("Analyst", name) for name in ("at_once", "daily", "never", "muted")}
    for name, user in people.items():
        user.email = f"{name}@example.com"
        user.date_joined = EIGHT - dt.timedelta(days=9)
        user.save()
        way = {"at_once": "immediate", "daily": "digest", "muted": "immediate"}.get(name, "none")
        choose(by=user, event="run.failed", mail=way, muted=name == "muted")
    failed(trades, 1, now=EIGHT - dt.timedelta(hours=3))
    Alert.objects.update(last_at=EIGHT - dt.timedelta(hours=3))
    assert (write_mails(EIGHT), write_mails(EIGHT)) == (1, 0)
    early = EIGHT.replace(hour=settings.DIGEST_HOUR - 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("django.utils.timezone.now", lambda: EIGHT)
        assert (write_digests(early), write_digests(EIGHT), write_digests(EIGHT)) == (0, 1, 0)
    assert [send_notice(pk, EIGHT) for pk in to_send(EIGHT) * 2] == [True, True, False, False]
    once, digest = mail.outbox
    assert (once.to, once.subject) == (["at_once@example.com"], "Tieout: Run 1 of trades failed")
    assert "https://tieout.example/runs/1/" in once.body
    assert (digest.to, digest.subject) == (["daily@example.com"], "Tieout: 1 alert of 26 November")
    assert "1 x Run failed" in digest.body and "https://tieout.example/alerts/" in str(digest.alternatives[0][0])


def test_quarantined_rows_tell_until_a_delivery_has_none(reconcile: Callable[..., object], person: Person) -> None:
    analyst = person("Analyst")
    reconcile([row("A", "1.00"), "broken"], [row("A", "1.00")])
    assert unread(analyst) == [("1 row is quarantined of left of 2026-11-20.", 1)]
    reconcile([row("A", "1.00")], None, dt.date(2026, 11, 23))
    assert not Alert.objects.filter(cleared_at=None).exists()


def test_the_bell_leads_to_the_inbox_and_on(trades: Reconciliation, person: Person, client: Client) -> None:
    client.force_login(person("Analyst"))
    failed(trades, 1)
    assert 'aria-label="Alerts, 1 unread"' in client.get(reverse("queue")).content.decode()
    inbox = client.get(reverse("alerts"))
    alert = Alert.objects.get()
    assert "Run 1 of trades failed." in inbox.content.decode()
    assert client.get(reverse("alert", args=[alert.pk])).status_code == 405
    assert 'aria-label="Alerts, 1 unread"' in client.get(reverse("queue")).content.decode()  # a look reads nothing
    assert client.post(reverse("alert", args=[alert.pk])).headers["Location"] == "/runs/1/"
    assert "Everything is read." in client.get(reverse("alerts")).content.decode()
    client.post(reverse("read_alerts"), {"alert": alert.pk, "unread": 1, "back": "//evil.example/"})
    assert client.get(reverse("bell")).content.decode().count("<b>1</b>") == 1
    client.post(reverse("alert_choices"), {"mail-run.failed": "none", "muted-run.failed": "1"})
    assert "<b>" not in client.get(reverse("bell")).content.decode()
    assert "Run 1 of trades failed." in client.get(reverse("alerts"), {"show": "muted"}).content.decode()
    wrong = client.post(reverse("alert_choices"), {"mail-run.failed": "pigeon"}, follow=True)
    assert "There is no way" in wrong.content.decode()


def test_programs_read_their_inbox_and_choose(trades: Reconciliation, person: Person, client: Client) -> None:
    client.force_login(person("Analyst"))
    failed(trades, 1)
    failed(trades, 2)
    (line,) = client.get("/api/v1/alerts").json()["results"]
    assert (line["event"], line["title"], line["count"], line["unread"]) == ("run.failed", "Run failed", 2, True)
    read = {"path": f"/api/v1/alerts/{line['id']}/read", "content_type": "application/json"}
    assert client.post(**read, headers={"Idempotency-Key": "1"}).json() == {"read": 1}
    assert client.post(**read, headers={"Idempotency-Key": "1"}).json() == {"read": 1}
    assert client.post("/api/v1/alerts/read", headers={"Idempotency-Key": "2"}).json() == {"read": 0}
    assert client.get("/api/v1/alerts").json()["results"] == []
    assert len(client.get("/api/v1/alerts?show=all&event=run.failed").json()["results"]) == 1
    assert client.get("/api/v1/alerts?show=some").status_code == 400
    chosen = client.put("/api/v1/alert-choices/run.failed", {"mail": "none"}, content_type="application/json")
    assert chosen.json() == {"event": "run.failed", "title": "Run failed", "mail": "none", "muted": False}
    assert chosen.json() in client.get("/api/v1/alert-choices").json()
    assert (
        client.put("/api/v1/alert-choices/run.fail", {"mail": "none"}, content_type="application/json").status_code
        == 404
    )
