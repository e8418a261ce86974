"""AutomaticRun: the deliveries for which a run was started by itself."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from ingestion.models import Delivery
from reconciliation.models.reconciliation import Reconciliation
from reconciliation.models.run import Run


class AutomaticRun(models.Model):
    """The newest delivery of each side of the date when the run was asked for. A schedule may find one side only."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="automatic")
    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, db_index=False, related_name="+")
    a = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    b = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-run"]
        constraints = [
            UniqueConstraint(
                fields=["reconciliation", "a", "b"],
                nulls_distinct=False,
                name="automatic_run_once_a_pair_of_deliveries",
            ),
            CheckConstraint(condition=Q(a__isnull=False) | Q(b__isnull=False), name="automatic_run_of_some_delivery"),
        ]

    def __str__(self) -> str:
        return f"{self.run}, started by itself"
