"""Tombstone: the raw bytes of a delivery were deleted, on purpose."""

from django.db import models
from django.db.models import CheckConstraint, Q

from ingestion.models.delivery import Delivery


class Tombstone(models.Model):
    """What stands in the place of a delivery's bytes: when they were deleted, by which rule, by whom.

    Their sha256 and size stay with the delivery, its records with its normalizations.
    """

    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="tombstone")
    deleted_at = models.DateTimeField()
    rule = models.CharField(max_length=200, help_text="The rule of retention, as it was then.")
    deleted_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-id"]
        constraints = [CheckConstraint(condition=~Q(rule=""), name="tombstone_names_its_rule")]

    def __str__(self) -> str:
        return f"tombstone of {self.delivery}"
