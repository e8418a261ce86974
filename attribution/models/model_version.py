"""ModelVersion: the model registry."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from reconciliation.models import Reconciliation


class ModelVersion(models.Model):
    """An entry of the model registry. The artifact is named by its content hash; the labels of its data window are counted."""

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        CHAMPION = "champion"
        RETIRED = "retired"

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="model_versions")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.CANDIDATE)
    artifact_sha256 = models.CharField(max_length=64)
    trained_at = models.DateTimeField()
    trained_by = models.CharField(max_length=150, blank=True)
    trained_because = models.CharField(max_length=200, blank=True, help_text="Why it was trained.")
    corrections_to = models.BigIntegerField(
        null=True, blank=True, help_text="The last correction that it could learn from."
    )
    labels = models.PositiveIntegerField()
    label_counts = models.JSONField(default=dict, help_text="How many labels each reason has.")
    first_day = models.DateField(null=True, blank=True, help_text="The first business date of its labels.")
    last_day = models.DateField(null=True, blank=True, help_text="The last business date of its labels.")
    habits = models.JSONField(default=list, help_text="The fields of the record whose habits it counts.")
    metrics = models.JSONField(default=dict, help_text="What it says of later labels that it has not seen.")
    reference = models.JSONField(
        default=dict, help_text="Counts by category of the later labels: what drift is told from."
    )
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    promoted_by = models.CharField(max_length=150, blank=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    replaced = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="The champion before it."
    )

    class Meta:
        ordering = ["reconciliation", "-version"]
        constraints = [
            UniqueConstraint(fields=["reconciliation", "version"], name="model_version_once"),
            UniqueConstraint(fields=["reconciliation"], condition=Q(state="champion"), name="model_one_champion"),
            CheckConstraint(
                condition=~Q(state="champion") | Q(promoted_at__isnull=False), name="model_champion_was_promoted"
            ),
            CheckConstraint(condition=Q(labels__gt=0), name="model_has_labels"),
        ]

    def __str__(self) -> str:
        return f"{self.reconciliation} model {self.version}"
