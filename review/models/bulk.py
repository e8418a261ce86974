"""BulkDecision: one decision over many breaks, carried out row by row in the background, each row with its own result."""

import datetime as dt
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.models import ClaimedWork
from reconciliation.models import Break, Hold
from review.models.decision import Decision

UNDO, ASSIGN, HOLD = "undo", "assign", "hold"


class BulkPreview(models.Model):
    """Breaks that somebody chose, frozen with their values as they stood then. It decides nothing, and goes after a day."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(db_index=True)
    told = models.CharField(max_length=300, help_text="How they were chosen, as people read it.")
    chosen = models.JSONField(help_text="A list of the id and the fingerprint of each break.")
    incident = models.BigIntegerField(null=True, blank=True, help_text="Id of the incident that it answers.")

    def __str__(self) -> str:
        return self.told


class BulkDecision(ClaimedWork):
    """What one person decided of many breaks at once, or the undoing of that; `asked_by` decides each row."""

    class Action(models.TextChoices):
        APPROVE = "approve", "Approve"
        OVERRIDE = "override", "Override"
        REJECT = "reject", "Reject"
        ASSIGN = ASSIGN, "Assign"
        HOLD = HOLD, "Put on hold"
        UNDO = UNDO, "Undo"

    action = models.CharField(max_length=8, choices=Action.choices)
    reason = models.CharField(max_length=40, blank=True)
    comment = models.TextField(blank=True)
    told = models.CharField(max_length=300, help_text="How the breaks were chosen, as people read it.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_decisions")
    asked_at = models.DateTimeField()
    preview = models.UUIDField(null=True, blank=True, help_text="The preview that it was started from.")
    incident = models.BigIntegerField(null=True, blank=True, help_text="Id of the incident that it answers.")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whom the breaks are assigned to; null: nobody.",
    )
    until = models.DateField(null=True, blank=True, help_text="The day on which breaks that are put on hold return.")
    party = models.CharField(  # noqa: DJ001 - null is under no seal
        max_length=200, null=True, blank=True, help_text="Whose answer ends the hold."
    )
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_in")
    is_fresh = models.BooleanField(default=False, help_text="An undo that was asked for in the first seconds.")
    reconciliations = ArrayField(models.BigIntegerField(), help_text="Ids of those that its breaks are of.")
    rows = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            UniqueConstraint(fields=["preview"], name="bulk_decision_once_per_preview"),
            UniqueConstraint(
                fields=["undoes"], condition=Q(state__in=ClaimedWork.UNDER_WAY), name="bulk_decision_one_undo_at_a_time"
            ),
            CheckConstraint(
                condition=Q(action=UNDO, undoes__isnull=False) | (~Q(action=UNDO) & Q(undoes=None)),
                name="bulk_decision_undo_names_what",
            ),
            CheckConstraint(condition=Q(action=ASSIGN) | Q(assignee=None), name="bulk_decision_assigns_or_not"),
            CheckConstraint(
                condition=Q(action=HOLD) & (Q(until__isnull=False) | Q(party__isnull=False))
                | ~Q(action=HOLD) & Q(until=None, party=None),
                name="bulk_decision_holds_or_not",
            ),
            CheckConstraint(condition=Q(rows__gte=F("done") + F("refused")), name="bulk_decision_counts_fit"),
            CheckConstraint(
                condition=~Q(state="done") | Q(rows=F("done") + F("refused")), name="bulk_decision_done_is_whole"
            ),
        ]

    def __str__(self) -> str:
        return f"bulk {self.pk}"

    @property
    def settled(self) -> int:
        """How many rows have their result."""
        return self.done + self.refused

    @property
    def awaits(self) -> str:
        """What breaks that it put on hold wait for."""
        until = self.until and dt.datetime.combine(self.until, dt.time(), dt.UTC)
        return Hold(until=until, party=self.party or "").awaits if self.action == HOLD else ""

    @property
    def is_under_way(self) -> bool:
        """Whether rows may still get their results by themselves."""
        return self.state in ClaimedWork.UNDER_WAY


class BulkRow(models.Model):
    """One break of a bulk decision, and its result, which is written once (migration 0005)."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        REFUSED = "refused"

    bulk = models.ForeignKey(BulkDecision, on_delete=models.PROTECT, db_index=False, related_name="results")
    position = models.PositiveIntegerField(help_text="In which order they are decided.")
    brk = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="bulk_rows", db_column="break_id")
    fingerprint = models.CharField(max_length=32, help_text="The break's values when it was chosen.")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    decision = models.ForeignKey(
        Decision,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="bulk_rows",
        help_text="What was made, confirmed, or is to be undone; none where breaks were assigned or put on hold.",
    )
    said = models.TextField(blank=True, help_text="What refused it.")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["bulk", "position"]
        indexes = [models.Index(fields=["bulk", "position"], condition=Q(state="waiting"), name="bulk_row_waiting")]
        constraints = [
            UniqueConstraint(fields=["bulk", "brk"], name="bulk_row_once_per_break"),
            UniqueConstraint(fields=["bulk", "position"], name="bulk_row_once_per_position"),
            CheckConstraint(
                condition=Q(state="waiting", settled_at=None, said="")
                | Q(state="done", settled_at__isnull=False, said="")
                | (Q(state="refused", settled_at__isnull=False) & ~Q(said="")),
                name="bulk_row_result_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bulk} {self.brk}"
