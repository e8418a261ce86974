"""GateStep: where the guard put a reconciliation's gate, and why."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from reconciliation.models import Reconciliation


class GateStep(models.Model):
    """The audits broke the bound, and the gate went to a stricter one or closed; or a person opened it again. Rows are added,
    never changed: the newest one says where the gate stands."""

    class Kind(models.TextChoices):
        TRIP = "trip", "Tripped"
        REOPEN = "reopen", "Reopened"

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="gate_steps")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=6, choices=Kind.choices)
    bound = models.DecimalField(
        max_digits=4, decimal_places=3, null=True, blank=True, help_text="In force from then on; empty: closed."
    )
    broken = models.DecimalField(
        max_digits=4, decimal_places=3, null=True, blank=True, help_text="The bound that the audits broke."
    )
    evidence = models.FloatField(default=1.0, help_text="Of the test when it was taken; 1 is none.")
    answers = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)
    because = models.TextField()
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True, help_text="Who opened it; empty: the test.")

    class Meta:
        ordering = ["reconciliation", "-number"]
        constraints = [
            UniqueConstraint(fields=["reconciliation", "number"], name="gate_step_once_per_number"),
            CheckConstraint(
                condition=Q(kind="trip", by="", broken__isnull=False) | (Q(kind="reopen") & ~Q(by="") & ~Q(because="")),
                name="gate_step_reopened_by_a_person_with_a_comment",
            ),
        ]

    def __str__(self) -> str:
        at = f"at {self.bound.normalize() * 100:f} %" if self.bound is not None else "closed"
        return f"gate of {self.reconciliation} {at}"
