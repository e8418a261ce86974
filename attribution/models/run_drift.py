"""RunDrift: how far what a model met in a run is from what it was trained on."""

from django.db import models

from reconciliation.models import Run


class RunDrift(models.Model):
    """Counts of what the run's model met, range by range, and, once the run has ended, how far they moved. Advice only: nothing
    passes or is held back by it."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="drift")
    mixes = models.JSONField(default=dict, help_text="Counts by category: reasons, confidence, missing values, habits.")
    figures = models.JSONField(
        null=True, blank=True, help_text="By mix: index, limit, share of what is new or was rare."
    )
    alarm = models.CharField(max_length=200, blank=True, help_text="What moved clearly; empty: nothing.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"drift of {self.run}"
