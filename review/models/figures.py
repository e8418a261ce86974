"""Figures: what the dashboard shows of a reconciliation, computed beside the pages."""

from django.db import models

from reconciliation.models import Reconciliation


class Figures(models.Model):
    """The figures of a reconciliation as they were computed last. They follow from other rows and are under no seal."""

    reconciliation = models.OneToOneField(Reconciliation, on_delete=models.CASCADE, related_name="figures")
    document = models.JSONField()
    computed_at = models.DateTimeField()
    seconds = models.FloatField(help_text="What computing them took; what takes long is done less often.")

    class Meta:
        verbose_name_plural = "figures"

    def __str__(self) -> str:
        return f"figures of {self.reconciliation}"
