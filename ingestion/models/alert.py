"""Alert, AlertTarget and Notice: what is overdue, who is told, and how far the telling came."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from ingestion.history import kept
from ingestion.models.deadline import Expectation
from ingestion.models.delivery import Delivery, Normalization
from ingestion.models.record_type import CODE
from ingestion.models.source import Source

PREFIX = "TIEOUT_"  # as for every credential that is named by its variable


class Alert(models.Model):
    """A delivery that was not there in time, one whose control totals do not agree, or an event of a higher app, such as a
    gate that closed. Raised once, whatever happens later."""

    expectation = models.ForeignKey(
        Expectation, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="alerts"
    )
    normalization = models.ForeignKey(
        Normalization, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="alerts"
    )
    raised_at = models.DateTimeField()
    arrived_at = models.DateTimeField(
        null=True, blank=True, help_text="When the delivery came, if that was before the alert; empty: it was missing."
    )
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="When an event that lasts was over.")
    event = models.CharField(max_length=40, blank=True, help_text="Such as gate.closed; empty: about a delivery.")
    mark = models.CharField(max_length=120, blank=True, help_text="What the event is told once for.")
    sentence = models.CharField(max_length=500, blank=True, help_text="What happened: codes and counts, no record.")
    sources = models.ManyToManyField(Source, blank=True, related_name="+", help_text="Those that an event concerns.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            UniqueConstraint(fields=["expectation"], name="alert_once_an_expectation"),
            UniqueConstraint(fields=["normalization"], name="alert_once_a_normalization"),
            UniqueConstraint(
                fields=["event", "mark"], condition=~Q(event="") & Q(cleared_at=None), name="alert_once_an_event"
            ),
            CheckConstraint(
                condition=Q(expectation=None, normalization__isnull=False, event="")
                | Q(expectation__isnull=False, normalization=None, event="")
                | (Q(expectation=None, normalization=None) & ~Q(event="") & ~Q(sentence="")),
                name="alert_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        if (about := self.subject) is None:
            return self.sentence.removesuffix(".")
        told = "does not agree with its control totals" if self.what == "mismatch" else f"is {self.what}"
        return f"{about.source} of {about.business_date} {told}"

    @property
    def subject(self) -> Expectation | Delivery | None:
        """What has the source and the business date that it is about; None for an event."""
        return self.normalization.delivery if self.normalization else self.expectation

    @property
    def what(self) -> str:
        """The event; else `mismatch` of control totals, `late` when it had come by the time of the alert, or `missing`."""
        if self.event:
            return self.event
        if self.normalization_id is not None:
            return "mismatch"
        return "late" if self.arrived_at else "missing"


@kept
class AlertTarget(models.Model):
    """Who is told of alerts: an e-mail address, or a webhook whose requests are signed."""

    class Kind(models.TextChoices):
        EMAIL = "email", "e-mail"
        WEBHOOK = "webhook"

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    kind = models.CharField(max_length=7, choices=Kind.choices)
    address = models.CharField(
        max_length=500, help_text="An e-mail address, or https://... of a host that OUTBOUND_HOSTS names."
    )
    secret = models.CharField(
        max_length=100,
        blank=True,
        help_text=f"Webhooks: the variable that holds the signing secret, such as {PREFIX}ALERTS.",
    )
    sources = models.ManyToManyField(Source, blank=True, related_name="+", help_text="None chosen: every source.")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            CheckConstraint(
                condition=Q(kind="email", secret="") | Q(kind="webhook", secret__startswith=PREFIX),
                name="alert_target_webhook_names_its_secret",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Notice(models.Model):
    """An alert on its way to a target: tried until it is sent, or given up as a dead letter."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, db_index=False, related_name="notices")
    target = models.ForeignKey(AlertTarget, on_delete=models.PROTECT, related_name="notices")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="When it may be tried.")
    sent_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True, help_text="When it was given up.")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [  # what is to be sent
            models.Index(fields=["next_at"], condition=Q(sent_at=None, dead_at=None), name="notice_to_send")
        ]
        constraints = [
            UniqueConstraint(fields=["alert", "target"], name="notice_once_an_alert_and_target"),
            CheckConstraint(condition=Q(sent_at=None) | Q(dead_at=None), name="notice_sent_or_dead"),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"

    @property
    def state(self) -> str:
        """sent, dead or waiting."""
        return "sent" if self.sent_at else "dead" if self.dead_at else "waiting"
