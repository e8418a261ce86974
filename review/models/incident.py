"""Incident: breaks of one signature that surged together, shown and decided as one. SignatureCount: what is usual."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from reconciliation.models import Break, Reconciliation, Run

SIGNATURE = ("field", "reason", "gap", "segment")


class IncidentScan(models.Model):
    """A run whose breaks were counted by signature."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="incident_scan")
    records = models.PositiveBigIntegerField(help_text="Keys that the run compared.")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"scan of {self.run}"


class SignatureCount(models.Model):
    """How many breaks of a signature a run found; kept for the last runs only. `*` stands for any gap or segment."""

    scan = models.ForeignKey(IncidentScan, on_delete=models.CASCADE, db_index=False, related_name="counts")
    field = models.CharField(max_length=83)
    reason = models.CharField(max_length=40)
    gap = models.CharField(max_length=20)
    segment = models.CharField(max_length=200)
    breaks = models.PositiveIntegerField()

    class Meta:
        constraints = [UniqueConstraint(fields=["scan", *SIGNATURE], name="signature_count_once_per_scan")]

    def __str__(self) -> str:
        return f"{self.field} {self.reason} {self.gap} {self.segment}: {self.breaks}"


class Incident(models.Model):
    """Breaks of one signature that surged in a run; later ones join it while it is open."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DECIDED = "decided", "Decided"
        CLOSED = "closed", "Closed by itself"

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, db_index=False, related_name="incidents"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="incidents", help_text="The run that it began in."
    )
    last_run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="+", help_text="The last that added breaks."
    )
    field = models.CharField(max_length=83)
    reason = models.CharField(max_length=40)
    gap = models.CharField(max_length=20, help_text="Sign and size of the gap; * is any.")
    segment = models.CharField(max_length=200, help_text="Such as the counterparty; * is any.")
    segment_of = models.CharField(max_length=83, blank=True, help_text="The field that the segment is a value of.")
    state = models.CharField(max_length=7, choices=State.choices, default=State.OPEN)
    breaks = models.PositiveIntegerField(help_text="How many there were in its first run.")
    usual = models.FloatField(help_text="How many a run of that size usually has.")
    runs = models.PositiveSmallIntegerField(help_text="How many earlier runs say so.")
    found_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["reconciliation", "state", "-id"], name="incident_list")]
        constraints = [
            UniqueConstraint(
                fields=["reconciliation", *SIGNATURE], condition=Q(state="open"), name="incident_one_open_per_signature"
            ),
            CheckConstraint(condition=Q(breaks__gte=1, usual__gte=0), name="incident_has_breaks"),
        ]

    def __str__(self) -> str:
        return f"incident {self.pk}"

    @property
    def times(self) -> float | None:
        """How many times the usual number it began with; None where none is usual."""
        return self.breaks / self.usual if self.usual else None


class IncidentBreak(models.Model):
    """A break of an incident."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, db_index=False, related_name="members")
    brk = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="in_incidents", db_column="break_id")

    class Meta:
        constraints = [UniqueConstraint(fields=["incident", "brk"], name="incident_break_once")]

    def __str__(self) -> str:
        return f"{self.incident} {self.brk}"
