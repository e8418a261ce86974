"""Alert, AlertTarget and Notice: what happened, who is told, and how far the telling came."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from ingestion.history import kept
from ingestion.models.deadline import Expectation
from ingestion.models.delivery import Delivery, Normalization
from ingestion.models.record_type import CODE
from ingestion.models.source import Source

PREFIX = "TIEOUT_"  # as for every credential that is named by its variable


class Alert(models.Model):
    """Something that a person should know: a delivery that is late, a run that failed, a gate that closed, a mention. One line while
    it lasts, however often it comes."""

    event = models.CharField(max_length=40, help_text="Such as gate.closed or delivery.late.")
    mark = models.CharField(max_length=160, help_text="What the event is one line for, while it lasts.")
    sentence = models.CharField(max_length=500, help_text="What happened: codes and counts, no record.")
    link = models.CharField(max_length=200, blank=True, help_text="The page of its thing, from the site's root.")
    expectation = models.ForeignKey(
        Expectation, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="alerts"
    )
    normalization = models.ForeignKey(
        Normalization, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="alerts"
    )
    sources = models.ManyToManyField(Source, blank=True, related_name="+", help_text="Those that it concerns.")
    reconciliation = models.BigIntegerField(
        null=True, blank=True, help_text="Id of the reconciliation that it is of: who sees that, sees it."
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="alerts",
        help_text="Who alone it is for; empty: everyone who sees what it concerns.",
    )
    raised_at = models.DateTimeField()
    last_at = models.DateTimeField(help_text="When it came last.")
    count = models.PositiveIntegerField(default=1, help_text="How often it came while it lasted.")
    occurrence = models.CharField(max_length=80, blank=True, help_text="What it came for last, counted once.")
    arrived_at = models.DateTimeField(
        null=True, blank=True, help_text="When the delivery came, if that was before the alert; empty: it was missing."
    )
    cleared_at = models.DateTimeField(null=True, blank=True, help_text="When it was over.")
    told_at = models.DateTimeField(null=True, blank=True, help_text="When mails to persons were written.")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-last_at"], name="alert_inbox"),
            models.Index(fields=["id"], condition=Q(told_at=None), name="alert_to_tell"),
        ]
        constraints = [
            UniqueConstraint(fields=["expectation"], name="alert_once_an_expectation"),
            UniqueConstraint(fields=["normalization"], name="alert_once_a_normalization"),
            UniqueConstraint(fields=["event", "mark"], condition=Q(cleared_at=None), name="alert_once_an_event"),
            CheckConstraint(condition=Q(expectation=None) | Q(normalization=None), name="alert_of_one_thing"),
            CheckConstraint(condition=~Q(event="") & ~Q(sentence="") & Q(count__gte=1), name="alert_says_what"),
        ]

    def __str__(self) -> str:
        return self.sentence.removesuffix(".")

    @property
    def subject(self) -> Expectation | Delivery | None:
        """What has the source and the business date that it is about; None for other events."""
        return self.normalization.delivery if self.normalization else self.expectation


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
    team = models.CharField(  # noqa: DJ001 - a column that is null breaks no seal
        max_length=41,
        null=True,
        blank=True,
        help_text="Code of the team whose reconciliations it hears of; empty: of all.",
    )
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
    """An alert on its way to a target or a person, or a person's digest of a day: tried until it is sent, or given up as a dead
    letter."""

    alert = models.ForeignKey(
        Alert, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="notices"
    )
    target = models.ForeignKey(AlertTarget, on_delete=models.PROTECT, null=True, blank=True, related_name="notices")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="notices"
    )
    digest_on = models.DateField(null=True, blank=True, help_text="The day of a digest.")
    counts = models.JSONField(default=dict, blank=True, help_text="A digest's unread alerts by event.")
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
            UniqueConstraint(fields=["alert", "person"], name="notice_once_an_alert_and_person"),
            UniqueConstraint(fields=["person", "digest_on"], name="notice_once_a_digest"),
            CheckConstraint(condition=Q(sent_at=None) | Q(dead_at=None), name="notice_sent_or_dead"),
            CheckConstraint(
                condition=Q(alert__isnull=False, digest_on=None, target__isnull=False, person=None)
                | Q(alert__isnull=False, digest_on=None, target=None, person__isnull=False)
                | Q(alert=None, digest_on__isnull=False, target=None, person__isnull=False),
                name="notice_to_one_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"

    @property
    def state(self) -> str:
        """sent, dead or waiting."""
        return "sent" if self.sent_at else "dead" if self.dead_at else "waiting"
