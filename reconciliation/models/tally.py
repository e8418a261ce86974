"""BreakTally: how many breaks there are, so that no page has to count them."""

from django.db import models


class BreakTally(models.Model):
    """So many breaks more, or fewer, of a combination; the sum over all rows of a combination is how many there are.

    Triggers on the breaks write it (reconciliation/tally.py); it follows from them and is under no seal.
    """

    reconciliation_id = models.BigIntegerField()
    state = models.CharField(max_length=9)
    kind = models.CharField(max_length=12)
    band = models.CharField(max_length=9)
    reason = models.CharField(max_length=40)
    scope_id = models.BigIntegerField(null=True)
    assignee_id = models.BigIntegerField(null=True)
    opened = models.DateTimeField(null=True, help_text="The hour in which open breaks opened; null for all others.")
    due = models.DateTimeField(null=True, help_text="The minute in which open breaks are due; null for all others.")
    breaks = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["reconciliation_id", "state"], name="break_tally_by_state")]

    def __str__(self) -> str:
        return f"{self.reconciliation_id} {self.state} {self.kind}: {self.breaks:+}"
