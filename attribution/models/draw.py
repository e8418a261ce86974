"""Draw and DrawSeed: which breaks chance picked for a blind audit or for the calibration stream, and how."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from reconciliation.models import Break, Reconciliation, Run


class DrawSeed(models.Model):
    """The secret of a reconciliation's draws: who does not know it foresees none, who does can repeat each."""

    reconciliation = models.OneToOneField(Reconciliation, on_delete=models.PROTECT, related_name="draw_seed")
    secret = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"seed of {self.reconciliation}"


class Draw(models.Model):
    """A break that chance picked when a run judged it, with the probability that it had, and what it passed or was held
    with. People never see which breaks in review the calibration stream has."""

    class Purpose(models.TextChoices):
        AUDIT = "audit", "Blind audit"  # of those that passed without a person
        CALIBRATION = "calibration", "Calibration stream"  # of those held for review

    brk = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="draws", db_column="break_id")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="draws")
    purpose = models.CharField(max_length=11, choices=Purpose.choices)
    probability = models.DecimalField(max_digits=6, decimal_places=5)
    score = models.DecimalField(max_digits=6, decimal_places=5, help_text="What the gate judged it by.")
    model_version = models.CharField(max_length=64, blank=True, help_text="The run's model; empty: provers only.")
    certificate = models.BigIntegerField(null=True, blank=True, help_text="Id of the certificate that the run pinned.")
    drawn_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            UniqueConstraint(fields=["brk", "run"], name="draw_once_per_break_and_run"),
            CheckConstraint(condition=Q(probability__gt=0, probability__lte=1), name="draw_probability_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
