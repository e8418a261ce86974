"""ModelVersion and Certificate: the model registry."""

from django.db import models
from django.db.models import Q, UniqueConstraint

from reconciliation.models import Reconciliation


class ModelVersion(models.Model):
    """An entry of the model registry. The artifact is named by its content hash."""

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        CHAMPION = "champion"
        RETIRED = "retired"

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="model_versions")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.CANDIDATE)
    artifact_sha256 = models.CharField(max_length=64)
    trained_at = models.DateTimeField()
    labels = models.PositiveIntegerField()
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")

    class Meta:
        ordering = ["reconciliation", "-version"]
        constraints = [
            UniqueConstraint(fields=["reconciliation", "version"], name="model_version_once"),
            UniqueConstraint(fields=["reconciliation"], condition=Q(state="champion"), name="model_one_champion"),
        ]

    def __str__(self) -> str:
        return f"{self.reconciliation} model {self.version}"


class Certificate(models.Model):
    """The evidence that what the gate passes is wrong less often than `bound`."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="certificates")
    bound = models.DecimalField(max_digits=4, decimal_places=3)
    threshold = models.DecimalField(max_digits=8, decimal_places=7)
    sample_size = models.PositiveIntegerField()
    errors = models.PositiveIntegerField()
    valid_until = models.DateTimeField()

    class Meta:
        ordering = ["model_version", "bound"]
        constraints = [UniqueConstraint(fields=["model_version", "bound"], name="certificate_once_per_bound")]

    def __str__(self) -> str:
        return f"{self.model_version}: {self.bound}"
