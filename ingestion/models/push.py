"""OpenDelivery and Receipt: records that programs push, until they are sealed into a delivery."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from ingestion.models.delivery import Delivery
from ingestion.models.source import Source


class OpenDelivery(models.Model):
    """Where a source's pushes of one business date gather. Sealed, its lines are a delivery."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="open_deliveries")
    business_date = models.DateField()
    opened_at = models.DateTimeField()
    records = models.PositiveBigIntegerField(default=0)
    sealed_at = models.DateTimeField(null=True, blank=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="gathered")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "open deliveries"
        constraints = [
            UniqueConstraint(
                fields=["source", "business_date"],
                condition=Q(sealed_at=None),
                name="open_delivery_once_a_source_and_date",
            ),
            CheckConstraint(
                condition=Q(delivery=None) | Q(sealed_at__isnull=False), name="open_delivery_sealed_before_delivered"
            ),
        ]

    def __str__(self) -> str:
        return f"open delivery {self.pk} of {self.source}, {self.business_date}"


class Receipt(models.Model):
    """One push: which records of the open delivery it brought. Its lines are kept here until the lake has them."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False, related_name="receipts")
    open_delivery = models.ForeignKey(OpenDelivery, on_delete=models.PROTECT, related_name="receipts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_index=False, related_name="+")
    key = models.CharField(max_length=200, help_text="The Idempotency-Key of the push.")
    sha256 = models.CharField(max_length=64, help_text="Of the body as it came.")
    first = models.PositiveBigIntegerField(help_text="Number of its first record in the delivery, from 1.")
    records = models.PositiveIntegerField()
    received_at = models.DateTimeField()
    lines = models.TextField(blank=True, help_text="A JSON object a line; empty once the lake has them.")

    class Meta:
        ordering = ["id"]
        constraints = [
            UniqueConstraint(fields=["source", "user", "key"], name="receipt_once_a_key"),
            UniqueConstraint(fields=["open_delivery", "first"], name="receipt_once_a_place"),
            CheckConstraint(condition=Q(records__gt=0), name="receipt_of_something"),
        ]

    def __str__(self) -> str:
        return f"receipt {self.pk}"
