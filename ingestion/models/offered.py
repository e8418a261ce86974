"""OfferedThing: what a source held ready, and the delivery that was made of it."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from ingestion.models.delivery import Delivery
from ingestion.models.source import Source


class OfferedThing(models.Model):
    """A file, partition or range that a source held ready, by its name there. The name is met again at every pull."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="offered")
    name = models.CharField(max_length=1000)
    mark = models.CharField(max_length=64, help_text="Changes when the bytes do.")
    seen_at = models.DateTimeField(help_text="When this mark was first seen.")
    taken_at = models.DateTimeField(null=True, blank=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="offered")
    error = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["source", "name"]
        verbose_name = "offered file"
        constraints = [
            UniqueConstraint(fields=["source", "name"], name="offered_name_once_per_source"),
            CheckConstraint(
                condition=Q(taken_at=None, delivery=None) | Q(taken_at__isnull=False, delivery__isnull=False),
                name="offered_taken_has_delivery",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.name}"
