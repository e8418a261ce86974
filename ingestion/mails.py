"""Mails of alerts and digests, as text and as HTML: codes, counts and links, never a record."""

import datetime as dt

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from ingestion.models import Alert, Notice

INBOX = "/alerts/"


def send_mail(notice: Notice) -> None:
    """Send a notice to its target's address or its person's."""
    to = (
        notice.target.address if notice.target is not None else notice.person.email if notice.person is not None else ""
    )
    if not to:
        raise ValueError("This person has no e-mail address.")
    told = {"subject": subject(notice), "lines": lines(notice), "links": links(notice), "counts": notice.counts.items()}
    mail = EmailMultiAlternatives(told["subject"], render_to_string("mails/alert.txt", told), None, [to])
    mail.extra_headers["X-Tieout-Notice"] = str(notice.pk)
    mail.attach_alternative(render_to_string("mails/alert.html", told), "text/html")
    mail.send()


def subject(notice: Notice) -> str:
    """One line."""
    if notice.alert is not None:
        return f"Tieout: {notice.alert}"
    number = sum(notice.counts.values())
    return f"Tieout: {number:,} alert{'' if number == 1 else 's'} of {notice.digest_on:%-d %B}"


def lines(notice: Notice) -> list[str]:
    """What happened, in sentences."""
    alert = notice.alert
    if alert is None:
        return ["You have not read these alerts yet:"]
    if (owed := alert.expectation) is None:
        return [alert.sentence if alert.count == 1 else f"{alert.sentence} It came {alert.count:,} times."]
    due = f"The delivery of {owed.source.code} for {owed.business_date:%Y-%m-%d} was due at {_text(owed.due_at)},"
    came = f"It came at {_text(alert.arrived_at)}." if alert.arrived_at else "It is not there yet."
    return [f"{due} and late from {_text(owed.late_at)} on. {came}"]


def links(notice: Notice) -> list[tuple[str, str]]:
    """Where to go from the mail: title and address. None where the site's own address is not known."""
    if not settings.PUBLIC_URL:
        return []
    own = [("Open its page", address_of(notice.alert))] if notice.alert is not None and notice.alert.link else []
    return [*own, ("All alerts", f"{settings.PUBLIC_URL.rstrip('/')}{INBOX}")]


def address_of(alert: Alert) -> str:
    """The page of what an alert is about; empty where the site's own address is not known."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{alert.link or INBOX}" if settings.PUBLIC_URL else ""


def _text(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC" if moment else ""
