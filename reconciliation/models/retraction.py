"""Retraction: a stored version that was taken back."""

from typing import Self

from django.db import models
from django.db.models import F, Q, UniqueConstraint

from ingestion.models import RecordType


class RetractionQuerySet(models.QuerySet["Retraction"]):
    """Retractions by what they are about."""

    def of(self, record_type: RecordType) -> Self:
        """Those of a record type's tables as they are now."""
        return self.filter(record_type=record_type, generation=record_type.generation)


class Retraction(models.Model):
    """A version that an undone decision, or the rejection of what had passed, took back. It stays in the store, ended; where another one stood before it, that one's
    values were stored again, as `restored`."""

    record_type = models.ForeignKey(RecordType, on_delete=models.PROTECT, related_name="retractions")
    generation = models.PositiveIntegerField()
    row = models.BigIntegerField(help_text="The version's row in the store.")
    key = models.TextField()
    bucket = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField()
    restored = models.PositiveIntegerField(
        null=True, help_text="The version that stands in its place; empty for nothing."
    )
    decision = models.BigIntegerField(help_text="Id of the decision that was undone.")
    at = models.DateTimeField(help_text="When the version ended.")

    objects = RetractionQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["record_type", "generation", "bucket"], name="retraction_by_bucket")]
        constraints = [
            UniqueConstraint(fields=["record_type", "generation", "row"], name="retraction_once_per_version"),
            models.CheckConstraint(
                condition=Q(restored=None) | Q(restored=F("version") + 1),
                name="retraction_restores_as_the_next_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_type} {self.key} version {self.version}"
