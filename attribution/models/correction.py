"""Correction: a training row."""

from django.db import models
from django.db.models import Q, UniqueConstraint

from attribution.models.reason import Reason
from reconciliation.models import Difference


class Correction(models.Model):
    """A difference and its confirmed reason. Only a final human decision, or an import of one, writes it."""

    difference = models.ForeignKey(Difference, on_delete=models.PROTECT, related_name="corrections")
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, to_field="code", related_name="corrections")
    predicted = models.CharField(max_length=40, blank=True, help_text="The best reason before the decision.")
    decision = models.BigIntegerField(null=True, blank=True, help_text="Id of the decision that confirmed it.")
    confirmed_by = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField()
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["-id"]
        constraints = [UniqueConstraint(fields=["difference"], condition=Q(active=True), name="correction_one_active")]

    def __str__(self) -> str:
        return f"{self.difference}: {self.reason_id}"
