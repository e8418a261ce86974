"""Training: a training that was asked for, why, and what came of it."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from attribution.models.model_version import ModelVersion
from ingestion.models import ClaimedWork
from reconciliation.models import Reconciliation


class Training(ClaimedWork):
    """Asked for by a person, a schedule, new corrections or a drift alarm; it gives a candidate, or a sentence why not."""

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="trainings")
    because = models.CharField(max_length=200, help_text="Why it was started.")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    corrections_to = models.BigIntegerField(help_text="The last correction that there was when it was asked for.")
    model = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="trainings",
        help_text="What it made.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            UniqueConstraint(
                fields=["reconciliation"],
                condition=Q(state__in=ClaimedWork.UNDER_WAY),
                name="training_one_of_a_reconciliation",
            ),
            CheckConstraint(
                condition=Q(state="done", model__isnull=False) | (~Q(state="done") & Q(model=None)),
                name="training_done_has_a_model",
            ),
        ]

    def __str__(self) -> str:
        return f"training {self.pk} of {self.reconciliation}"
