"""What a source owes by its deadline: expected, late once, told to everyone who wants to hear, and never in the way."""

import datetime as dt
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from pytest_django import fixtures

from config import tasks
from ingestion import custody, notices
from ingestion.alerts import put_target, revive
from ingestion.calendars import define_calendar
from ingestion.deadlines import drop_deadline, put_deadline
from ingestion.expectations import plan_expectations, raise_alerts
from ingestion.models import Alert, AlertTarget, Calendar, Delivery, Expectation, Normalization, Notice, Source
from ingestion.notices import ATTEMPTS, send_notice, to_send
from reconciliation.models import Reconciliation
from tests.conftest import HEADER, problems, row
from tests.standing import standing_trades  # noqa: F401

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY, MONDAY = dt.date(2026, 11, 20), dt.date(2026, 11, 23)
Deliver = Callable[..., Normalization]


def at(day: dt.date, clock: str) -> dt.datetime:
    """A time of Berlin's clocks."""
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), BERLIN)


@pytest.fixture
def left(trades: Reconciliation) -> Source:
    """`left`, due at 18:30 in Berlin with a quarter of an hour of grace, on working days; set up on a Friday at noon."""
    define_calendar(code="xetra", label="", weekend=[6, 7], holidays={})
    Source.objects.update(calendar=Calendar.objects.get())
    custody.seal(Source.objects.all())
    source = Source.objects.get(code="left")
    set_deadline(source, at(FRIDAY, "12:00"))
    return source


def set_deadline(source: Source, now: dt.datetime, clock: str = "18:30", after: int = 0, grace: int = 15) -> None:
    """Give a source a deadline in Berlin."""
    put_deadline(
        source=source, at=dt.time.fromisoformat(clock), zone="Europe/Berlin", after=after, grace=grace, now=now
    )


def watched(now: dt.datetime) -> list[str]:
    """What beat does, at a moment; gives the new alerts."""
    plan_expectations(now)
    return [str(it) for it in raise_alerts(now)]


def owed() -> list[str]:
    """What is expected, by due time in Berlin."""
    return [
        f"{it.business_date:%d} {it.due_at.astimezone(BERLIN):%d %H:%M}"
        for it in Expectation.objects.order_by("due_at")
    ]


def came(deliver: Deliver, source: str, date: dt.date, moment: dt.datetime) -> Delivery:
    """A delivery of a date that was received at a moment."""
    delivery = deliver(source, f"{HEADER}\n{row('A')}\n", date).delivery
    Delivery.objects.filter(pk=delivery.pk).update(received_at=moment)
    return delivery


def test_a_missing_delivery_alerts_once_after_its_grace(left: Source) -> None:
    assert watched(at(FRIDAY, "12:01")) == []
    assert owed() == ["20 20 18:30"]
    assert watched(at(FRIDAY, "18:44")) == []
    assert watched(at(FRIDAY, "18:45")) == ["left of 2026-11-20 is missing"]
    for hour in ("18:46", "23:59"):
        assert watched(at(FRIDAY, hour)) == []
    assert watched(at(MONDAY, "09:00")) == []  # neither Saturday nor Sunday is owed
    assert owed() == ["20 20 18:30", "23 23 18:30"]


@pytest.mark.parametrize(("time", "alerts"), [("18:30", 0), ("18:45", 0), ("18:46", 1)])
def test_what_comes_within_the_grace_is_in_time(left: Source, deliver: Deliver, time: str, alerts: int) -> None:
    plan_expectations(at(FRIDAY, "12:01"))
    came(deliver, "left", FRIDAY, at(FRIDAY, time))
    assert watched(at(FRIDAY, "20:00")) == ["left of 2026-11-20 is late"] * alerts


def test_another_date_another_source_and_what_cannot_be_read_are_no_arrival(left: Source, deliver: Deliver) -> None:
    came(deliver, "left", MONDAY, at(FRIDAY, "17:00"))
    came(deliver, "right", FRIDAY, at(FRIDAY, "17:00"))
    unreadable = came(deliver, "left", FRIDAY, at(FRIDAY, "17:00"))
    Normalization.objects.filter(delivery=unreadable).update(state="failed")
    assert watched(at(FRIDAY, "18:45")) == ["left of 2026-11-20 is missing"]


def test_a_holiday_and_the_business_days_after_are_of_the_calendar(left: Source) -> None:
    set_deadline(left, at(FRIDAY, "12:00"), "07:00", after=1)
    watched(at(FRIDAY, "12:01"))
    assert owed() == ["19 20 07:00"][1:] + ["20 23 07:00"]
    define_calendar(code="xetra", label="", weekend=[6, 7], holidays={MONDAY: "A holiday"})
    watched(at(MONDAY, "07:00"))
    assert owed() == ["20 24 07:00"]
    assert watched(at(MONDAY + dt.timedelta(days=1), "07:15")) == ["left of 2026-11-20 is missing"]


def test_a_day_that_becomes_a_holiday_owes_nothing(left: Source) -> None:
    watched(at(FRIDAY, "12:01"))
    define_calendar(code="xetra", label="", weekend=[6, 7], holidays={FRIDAY: ""})
    assert watched(at(FRIDAY, "18:45")) == []
    assert owed() == []


@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [("2026-03-29", "02:30", "01:30"), ("2026-10-25", "02:30", "01:30"), ("2026-10-25", "18:30", "17:30")],
)
def test_the_night_of_the_clocks_owes_one_delivery(trades: Reconciliation, day: str, clock: str, utc: str) -> None:
    date, source = dt.date.fromisoformat(day), Source.objects.get(code="left")
    evening = at(date - dt.timedelta(days=1), "22:00")
    set_deadline(source, evening, clock, grace=0)
    alerts: list[str] = []
    for step in range(16):  # over the whole night and day
        alerts += watched(evening.astimezone(dt.UTC) + dt.timedelta(minutes=90 * step))
    assert alerts == [f"left of {day} is missing"]
    due = Expectation.objects.get(business_date=date).due_at
    assert f"{due:%Y-%m-%d %H:%M}" == f"{day} {utc}"


def test_a_deadline_moved_in_time_holds_and_one_that_passed_stays(left: Source) -> None:
    watched(at(FRIDAY, "12:01"))
    set_deadline(left, at(FRIDAY, "13:00"), "20:00")
    assert watched(at(FRIDAY, "18:45")) == []
    assert owed() == ["20 20 20:00"]
    assert watched(at(FRIDAY, "20:15")) != []
    set_deadline(left, at(FRIDAY, "20:16"), "22:00")
    assert watched(at(FRIDAY, "22:15")) == []
    assert owed() == ["20 20 20:00"]
    drop_deadline(left)
    assert watched(at(MONDAY, "20:15")) == []
    assert problems() == []


def test_a_clock_that_stood_still_catches_up_on_a_week(left: Source) -> None:
    later = at(FRIDAY + dt.timedelta(days=5), "19:00")
    assert len(watched(later)) == 4  # Friday, Monday, Tuesday, Wednesday


def test_the_database_refuses_a_second_alert_and_a_second_notice(left: Source) -> None:
    put_target(code="ops", kind="email", address="ops@example.com", sources=[])
    watched(at(FRIDAY, "18:45"))
    alert, notice = Alert.objects.get(), Notice.objects.get()
    with pytest.raises(IntegrityError, match="alert_once_an_expectation"), transaction.atomic():
        Alert.objects.create(
            expectation=alert.expectation, event="x", mark="x", sentence="x", raised_at=alert.raised_at,
            last_at=alert.raised_at,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="notice_once_an_alert_and_target"), transaction.atomic():
        Notice.objects.create(alert=alert, target=notice.target, next_at=alert.raised_at)
    with pytest.raises(IntegrityError, match="alert_target_webhook_names_its_secret"), transaction.atomic():
        AlertTarget.objects.filter(pk=notice.target_id).update(kind="webhook", secret="plain")


def test_who_wants_to_hear_gets_one_mail_with_codes_and_a_link(left: Source, settings: fixtures.Settings) -> None:
    settings.PUBLIC_URL = "https://tieout.example"
    right = Source.objects.get(code="right")
    for code, sources, active in (
        ("all", [], True),
        ("mine", [left], True),
        ("other", [right], True),
        ("off", [], False),
    ):
        put_target(code=code, kind="email", address=f"{code}@example.com", sources=sources, active=active)
    now = at(FRIDAY, "18:45")
    watched(now)
    pending = to_send(now)
    assert [send_notice(pk, now) for pk in pending * 2] == [True, True, False, False]
    assert [it.to for it in mail.outbox] == [["all@example.com"], ["mine@example.com"]]
    assert mail.outbox[0].subject == "Tieout: left of 2026-11-20 is missing"
    sentence = (
        "The delivery of left for 2026-11-20 was due at 2026-11-20 17:30 UTC, "
        "and late from 2026-11-20 17:45 UTC on. It is not there yet."
    )
    assert mail.outbox[0].body.splitlines()[0] == sentence
    assert "All alerts: https://tieout.example/alerts/" in mail.outbox[0].body
    html, kind = mail.outbox[0].alternatives[0]
    assert kind == "text/html" and f"<p>{sentence}</p>" in html


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers as it is told to."""

    got: list[tuple[dict[str, str], bytes]] = []
    answer = 204
    stall = 0.0

    def do_POST(self) -> None:
        """Keep the request."""
        time.sleep(self.stall)
        self.got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.answer)
        if self.answer == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook(left: Source, settings: fixtures.Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Receiver]]:
    """A receiver on this machine, the target of a webhook, and an alert whose notice waits."""
    Receiver.got, Receiver.answer = [], 204
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    monkeypatch.setenv("TIEOUT_PAGER", "a secret")
    address = f"http://127.0.0.1:{server.server_port}/in"
    put_target(code="pager", kind="webhook", address=address, secret="TIEOUT_PAGER", sources=[])
    watched(at(FRIDAY, "18:45"))
    yield Receiver
    server.shutdown()
    server.server_close()


def sent(now: dt.datetime) -> bool:
    """Send the one notice."""
    return send_notice(Notice.objects.get().pk, now)


def test_a_webhook_is_signed_over_timestamp_and_body(hook: type[Receiver]) -> None:
    now = at(FRIDAY, "18:46")
    assert sent(now)
    headers, content = hook.got[0]
    stamp = headers["X-Tieout-Timestamp"]
    assert int(stamp) == int(now.timestamp())
    expected = hmac.new(b"a secret", stamp.encode() + content, hashlib.sha256).hexdigest()
    assert headers["X-Tieout-Signature"] == expected
    told = json.loads(content)
    assert told["event"] == "delivery.missing"
    assert (told["source"], told["business_date"], told["due_at"]) == (
        "left",
        "2026-11-20",
        "2026-11-20T17:30:00+00:00",
    )
    assert headers["X-Tieout-Notice"] == str(told["id"])
    assert not sent(now + dt.timedelta(days=1))
    assert len(hook.got) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"), [(500, "The receiver answers 500."), (302, "The receiver answers 302.")]
)
def test_a_receiver_that_fails_is_asked_again_then_given_up(hook: type[Receiver], answer: int, sentence: str) -> None:
    hook.answer, now = answer, at(FRIDAY, "18:46")
    waits = []
    for _ in range(ATTEMPTS):
        assert not sent(now)
        assert not sent(now)  # it is not its time
        notice = Notice.objects.get()
        waits.append(int((notice.next_at - now).total_seconds() / 60))
        now = notice.next_at
    assert (len(hook.got), waits) == (ATTEMPTS, [1, 2, 4, 8, 16, 32])
    assert (notice.state, notice.error) == ("dead", sentence)
    assert to_send(now + dt.timedelta(days=1)) == []
    hook.answer = 200
    revive(notice, now)
    assert sent(now)
    assert Notice.objects.get().state == "sent"


def test_a_receiver_that_stalls_is_left_after_a_time(hook: type[Receiver], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "SECONDS", 0.05)
    monkeypatch.setattr(hook, "stall", 0.3)
    assert not sent(at(FRIDAY, "18:46"))
    assert Notice.objects.get().error == "The receiver cannot be reached: ReadTimeout."


def test_a_closed_port_blocks_nothing(hook: type[Receiver], left: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    AlertTarget.objects.update(address=f"http://127.0.0.1:{port}/")
    put_target(code="ops", kind="email", address="ops@example.com", sources=[])
    now = at(MONDAY, "18:46")
    monkeypatch.setattr(tasks, "database_now", lambda: now)
    queued: list[int] = []
    monkeypatch.setattr(tasks.notify, "delay", queued.append)
    tasks.watch_deadlines()
    assert sorted(queued) == sorted(Notice.objects.values_list("pk", flat=True)) and len(queued) == 3
    for pk in queued:
        tasks.notify(pk)
    assert [it.subject for it in mail.outbox] == ["Tieout: left of 2026-11-23 is missing"]
    assert {it.error for it in Notice.objects.filter(target__code="pager")} == {
        "The receiver cannot be reached: ConnectError."
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"OUTBOUND_HOSTS": []}, "The host 127.0.0.1 is not one that sources may call (setting OUTBOUND_HOSTS)."),
        ({"address": "http://localhost:1/"}, "The host localhost leads to"),
        ({"secret": "TIEOUT_NOT_SET"}, "The environment variable TIEOUT_NOT_SET is not set"),
    ],
)
def test_a_webhook_goes_nowhere_else_and_never_unsigned(
    hook: type[Receiver], settings: fixtures.Settings, change: dict[str, object], sentence: str
) -> None:
    settings.OUTBOUND_HOSTS = change.pop("OUTBOUND_HOSTS", ["localhost"] if "address" in change else ["127.0.0.1"])
    if change:
        AlertTarget.objects.update(**change)
    assert not sent(at(FRIDAY, "18:46"))
    assert hook.got == []
    notice = Notice.objects.get()
    assert notice.error.startswith(sentence)
    assert "a secret" not in notice.error
