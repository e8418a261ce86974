"""Deadline and Expectation: by when a source has to deliver, and what is expected of it for each business date."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.history import kept
from ingestion.models.source import Source


@kept
class Deadline(models.Model):
    """By when a source's delivery of each business date has to be there. Business days are those of the source's calendar."""

    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="deadline")
    at = models.TimeField(help_text="Local time, such as 18:30.")
    zone = models.CharField(max_length=64, default="UTC", help_text="Time zone, such as Europe/Berlin.")
    after = models.PositiveSmallIntegerField(default=0, help_text="Business days after the business date.")
    grace = models.PositiveSmallIntegerField(default=0, help_text="Minutes that a delivery may come later.")
    since = models.DateTimeField(help_text="What was due before is not expected.")

    class Meta:
        ordering = ["source"]
        constraints = [
            CheckConstraint(
                condition=Q(after__lte=30),
                name="deadline_within_thirty_business_days",
                violation_error_message="A deadline is at most 30 business days after the business date.",
            ),
            CheckConstraint(
                condition=Q(grace__lte=1440),
                name="deadline_grace_within_a_day",
                violation_error_message="The grace is at most 1440 minutes.",
            ),
        ]

    def __str__(self) -> str:
        return f"deadline of {self.source}"


class Expectation(models.Model):
    """A delivery that a source owes for a business date: when it is due, and from when on it is late."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="expectations")
    business_date = models.DateField()
    due_at = models.DateTimeField()
    late_at = models.DateTimeField(help_text="Due with grace.")

    class Meta:
        ordering = ["-business_date", "source"]
        indexes = [models.Index(fields=["late_at"], name="expectation_by_lateness")]  # what is overdue
        constraints = [
            UniqueConstraint(fields=["source", "business_date"], name="expectation_once_a_source_and_date"),
            CheckConstraint(condition=Q(late_at__gte=F("due_at")), name="expectation_late_after_due"),
        ]

    def __str__(self) -> str:
        return f"{self.source} of {self.business_date}"
