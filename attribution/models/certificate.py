"""Certificate: the evidence for a threshold of a budgeted gate."""

from decimal import Decimal

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from attribution.models.model_version import ModelVersion


class Certificate(models.Model):
    """The evidence that what the gate passes is wrong less often than `bound`: records whose score reaches `threshold`, of which
    `sample_size` held-out ones were labelled and `errors` had a cause that is not functional."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="certificates")
    bound = models.DecimalField(max_digits=4, decimal_places=3)
    threshold = models.DecimalField(max_digits=8, decimal_places=7)
    sample_size = models.PositiveIntegerField()
    errors = models.PositiveIntegerField()
    upper = models.DecimalField(
        max_digits=8, decimal_places=7, help_text="The share of errors is at most this, with confidence 1 - delta."
    )
    delta = models.DecimalField(max_digits=4, decimal_places=3)
    held_out = models.PositiveIntegerField(help_text="Labelled records that the model had not seen.")
    first_day = models.DateField(help_text="The first business date of its labels.")
    last_day = models.DateField(help_text="The last business date of its labels.")
    sample_sha256 = models.CharField(max_length=64, help_text="Of the ids of its records, in order.")
    money = models.JSONField(
        default=dict, help_text="By currency: the money that would pass, and the wrong part of it."
    )
    reasons = models.JSONField(default=dict, help_text="The reasons that may pass under it, each from which score on.")
    made_at = models.DateTimeField()
    valid_until = models.DateTimeField()

    class Meta:
        ordering = ["model_version", "-bound"]
        constraints = [
            UniqueConstraint(fields=["model_version", "bound"], name="certificate_once_per_bound"),
            CheckConstraint(condition=Q(upper__lte=F("bound")), name="certificate_keeps_its_bound"),
            CheckConstraint(
                condition=Q(errors__lte=F("sample_size"), sample_size__lte=F("held_out")),
                name="certificate_counts_add_up",
            ),
            CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="certificate_window_has_an_order"),
            CheckConstraint(condition=Q(valid_until__gt=F("made_at")), name="certificate_ends_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"{self.model_version}, at most {self.bound * 100:.0f} %"

    @property
    def starts(self) -> dict[str, Decimal]:
        """From which score on the differences of each reason pass. An older certificate names its reasons only."""
        if isinstance(self.reasons, list):
            return dict.fromkeys(self.reasons, self.threshold)
        return {reason: Decimal(score) for reason, score in self.reasons.items()}
