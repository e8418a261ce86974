"""Repair: what a person did with a quarantined row, and the record that it became."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.models.delivery import Delivery, QuarantinedRow


class Repair(models.Model):
    """A quarantined row was given other cells, or was dismissed as no record. The row itself stays as it came.

    `delivery` and `record_number` say where the repaired row was replayed. Under four eyes it waits for `confirmed_by`,
    who is never `proposed_by`.
    """

    class Action(models.TextChoices):
        REPAIR = "repair", "Repair"
        DISMISS = "dismiss", "Dismiss"

    row = models.ForeignKey(QuarantinedRow, on_delete=models.PROTECT, related_name="repairs")
    action = models.CharField(max_length=7, choices=Action.choices)
    comment = models.TextField(help_text="Why.")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="repairs_proposed")
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="repairs_confirmed"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    four_eyes = models.BooleanField(default=False)
    withdrawn = models.BooleanField(default=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="repairs")
    record_number = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of the record in that delivery.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            UniqueConstraint(fields=["row"], condition=Q(withdrawn=False), name="repair_one_standing_per_row"),
            UniqueConstraint(fields=["delivery", "record_number"], name="repair_once_per_record"),
            CheckConstraint(condition=~Q(comment=""), name="repair_says_why"),
            CheckConstraint(
                condition=Q(four_eyes=False) | Q(confirmed_by=None) | ~Q(confirmed_by=F("proposed_by")),
                name="repair_nobody_confirms_their_own",
            ),
            CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="repair_confirmed_has_time",
            ),
            CheckConstraint(
                condition=Q(delivery=None, record_number=None)
                | Q(action="repair", withdrawn=False, confirmed_by__isnull=False, record_number__gt=0),
                name="repair_replayed_was_confirmed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.row}"

    @property
    def told(self) -> str:
        """What was done, as a history tells it."""
        done, noun = {"repair": ("Repaired", "Repair"), "dismiss": ("Dismissed", "Dismissal")}[self.action]
        if self.withdrawn:
            return f"{noun} withdrawn"
        return done if self.confirmed_by_id is not None else f"{noun} proposed"


class RepairedCell(models.Model):
    """One cell of a repaired row: what the raw line had there, and what it is now."""

    repair = models.ForeignKey(Repair, on_delete=models.PROTECT, related_name="cells")
    position = models.PositiveIntegerField(help_text="From 1, in the order of the file's columns.")
    column = models.TextField()
    was = models.TextField(null=True, blank=True, help_text="Null where the raw line could not be cut into cells.")  # noqa: DJ001
    value = models.TextField(blank=True)

    class Meta:
        ordering = ["repair", "position"]
        constraints = [
            UniqueConstraint(fields=["repair", "position"], name="repaired_cell_once_per_position"),
            UniqueConstraint(fields=["repair", "column"], name="repaired_cell_once_per_column"),
        ]

    def __str__(self) -> str:
        return f"{self.column}: {self.was!r} -> {self.value!r}"

    @property
    def is_changed(self) -> bool:
        """Whether the repair gave it another text."""
        return self.was != self.value
