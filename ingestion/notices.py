"""Sending notices: by e-mail, or by a signed webhook. What cannot be sent is tried later, then given up; nothing waits for it."""

import datetime as dt
import hashlib
import hmac
import json

import httpx2 as httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from ingestion.audit_log import record_event
from ingestion.connectors.credentials import secret
from ingestion.connectors.offer import PullError
from ingestion.connectors.outbound import client
from ingestion.mails import address_of, send_mail
from ingestion.models import Alert, AlertTarget, Notice

ATTEMPTS = 6
FIRST_PAUSE = dt.timedelta(minutes=1)  # doubled by each attempt: the last one is half an hour after the first
SECONDS = 10.0  # for one request


class NotSent(Exception):
    """The other side did not take it; the sentence says why."""


def to_send(now: dt.datetime) -> list[int]:
    """The notices whose time has come."""
    due = Notice.objects.filter(sent_at=None, dead_at=None, next_at__lte=now)
    return list(due.order_by("pk").values_list("pk", flat=True))


def send_notice(pk: int, now: dt.datetime) -> bool:
    """Take a notice by one conditional UPDATE and send it. False when another one has it, or it did not work."""
    mine = Notice.objects.filter(pk=pk, sent_at=None, dead_at=None, next_at__lte=now)
    notice = (
        Notice.objects.select_related(
            "target", "person", "alert__expectation__source", "alert__normalization__delivery__source"
        )
        .filter(pk=pk)
        .first()
    )
    if notice is None:
        return False
    pause = FIRST_PAUSE * 2**notice.attempts
    if not mine.filter(attempts=notice.attempts).update(attempts=F("attempts") + 1, next_at=now + pause):
        return False
    try:
        _send(notice, now)
    except (NotSent, PullError, OSError, ValueError) as error:
        is_last = notice.attempts + 1 >= ATTEMPTS
        said = " ".join(str(error).split()) or type(error).__name__
        Notice.objects.filter(pk=pk).update(error=said[:500], dead_at=now if is_last else None)
        return False
    Notice.objects.filter(pk=pk).update(sent_at=now, error="")
    return True


def send_test(target: AlertTarget, by: User) -> str:
    """Send a target something that is no alert, at once. Gives the sentence that says why it did not work; empty where it did."""
    now = timezone.now()
    alert = Alert(event="test", sentence=f"{by.username} sends a test; nothing happened.", raised_at=now)
    try:
        _send(Notice(pk=0, target=target, alert=alert), now)
    except (NotSent, PullError, OSError, ValueError) as error:
        sentence = " ".join(str(error).split()) or type(error).__name__
    else:
        sentence = ""
    record_event("target.tested", of=target, by=by, after={"result": sentence or "sent"})
    return sentence


def _send(notice: Notice, now: dt.datetime) -> None:
    if notice.target is not None and notice.target.kind == AlertTarget.Kind.WEBHOOK:
        _post(notice, now)
    else:
        send_mail(notice)


def document(notice: Notice) -> dict[str, object]:
    """What a webhook is sent: codes, counts and a link, never a record; moments in UTC."""
    alert = notice.alert
    assert alert is not None  # a digest goes to a person
    owed, about = alert.expectation, alert.subject
    told: dict[str, object] = {
        "id": notice.pk,
        "event": alert.event,
        "sentence": alert.sentence,
        "count": alert.count,
        "raised_at": alert.raised_at.isoformat(),
        "url": settings.PUBLIC_URL,
        "link": address_of(alert),
    }
    if about is None:
        return told
    return told | {
        "source": about.source.code,
        "business_date": f"{about.business_date:%Y-%m-%d}",
        "delivery": alert.normalization.delivery_id if alert.normalization else None,
        "due_at": owed.due_at.isoformat() if owed else None,
        "late_at": owed.late_at.isoformat() if owed else None,
        "arrived_at": alert.arrived_at.isoformat() if alert.arrived_at else None,
    }


def signature(key: str, timestamp: str, content: bytes) -> str:
    """HMAC-SHA256 over timestamp and body, in hexadecimal."""
    return hmac.new(key.encode(), timestamp.encode() + content, hashlib.sha256).hexdigest()


def _post(notice: Notice, now: dt.datetime) -> None:
    target = notice.target
    assert target is not None  # a person has no webhook
    content = json.dumps(document(notice)).encode()
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "X-Tieout-Notice": str(notice.pk),  # the same for each attempt, so that a receiver can drop repeats
        "X-Tieout-Timestamp": timestamp,
        "X-Tieout-Signature": signature(secret({"env": target.secret}), timestamp, content),
    }
    asked = {"content": content, "headers": headers, "timeout": SECONDS, "follow_redirects": False}
    try:
        with client() as http, http.stream("POST", target.address, **asked) as answer:  # type: ignore[arg-type]
            if not answer.is_success:  # whatever else it says is not read
                raise NotSent(f"The receiver answers {answer.status_code}.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotSent(f"The receiver cannot be reached: {type(error).__name__}.") from None
