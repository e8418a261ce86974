"""Correction: a training row. SecondOpinion: what another person says of one that the model contradicts."""

from typing import Self

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from attribution.models.attribution import Attribution
from attribution.models.reason import Reason
from ingestion.models.record_type import CARRIED
from reconciliation.models import Difference


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Corrections by where they stand."""

    def standing(self) -> Self:
        """What is said of a difference now, whether or not it waits for a second opinion."""
        return self.filter(Q(active=True) | Q(waiting_since__isnull=False))


class Correction(models.Model):
    """A difference and its confirmed reason. Only a final human decision, or an import of one, writes it.

    Models learn from the active ones. One that waits for a second opinion stands, but is not active."""

    difference = models.ForeignKey(Difference, on_delete=models.PROTECT, related_name="corrections")
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, to_field="code", related_name="corrections")
    predicted = models.CharField(max_length=40, blank=True, help_text="The best reason before the decision.")
    decision = models.BigIntegerField(null=True, blank=True, help_text="Id of the decision that confirmed it.")
    confirmed_by = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField()
    active = models.BooleanField(default=True)
    waiting_since = models.DateTimeField(null=True, blank=True, help_text="Since when it waits for a second opinion.")
    before = models.ForeignKey(
        Attribution,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What was said before.",
    )
    replaced = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="The label before it."
    )

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        default_permissions = CARRIED
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-id"], condition=Q(active=True, decision=None), name="correction_imported"),
            models.Index(fields=["waiting_since"], condition=Q(waiting_since__isnull=False), name="correction_waiting"),
        ]
        constraints = [
            UniqueConstraint(
                fields=["difference"],
                condition=Q(active=True) | Q(waiting_since__isnull=False),
                name="correction_one_standing",
            ),
            CheckConstraint(
                condition=Q(active=False) | Q(waiting_since=None), name="correction_waiting_teaches_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.difference}: {self.reason_id}"


class SecondOpinion(models.Model):
    """A label that says of a record in the pass zone what the model does not: another person is asked, who sees neither."""

    correction = models.OneToOneField(Correction, on_delete=models.PROTECT, related_name="opinion")
    said_by = models.CharField(max_length=150, help_text="Who gave the label.")
    asked_at = models.DateTimeField()
    because = models.CharField(max_length=200, help_text="What the model had said.")
    reason = models.ForeignKey(
        Reason, on_delete=models.PROTECT, to_field="code", null=True, blank=True, related_name="+"
    )
    comment = models.TextField(blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            CheckConstraint(
                condition=Q(answered_by="", answered_at=None, reason=None)
                | (~Q(answered_by="") & Q(answered_at__isnull=False, reason__isnull=False)),
                name="second_opinion_answered_whole",
            ),
            CheckConstraint(condition=~Q(answered_by=F("said_by")), name="second_opinion_by_another"),
        ]

    def __str__(self) -> str:
        return f"second opinion {self.pk}"
