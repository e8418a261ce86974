"""BulkAnswer: one answer to many quarantined rows, looked at before it is given; each row has its own result."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.models import QuarantinedRow, Repair


class BulkAnswer(models.Model):
    """Quarantined rows that somebody chose, and what that person said of all of them at once.

    Without `answered_at` it is a preview: it says nothing, only `asked_by` sees it, and it goes after a day.
    """

    class Action(models.TextChoices):
        DISMISS = "dismiss", "Dismiss"
        CONFIRM = "confirm", "Confirm"
        WITHDRAW = "withdraw", "Withdraw"

    action = models.CharField(max_length=8, choices=Action.choices)
    told = models.CharField(max_length=300, help_text="How the rows were chosen, as people read it.")
    filters = models.JSONField(default=dict, blank=True, help_text="The filter that chose them; empty for named rows.")
    sources = ArrayField(models.BigIntegerField(), help_text="Ids of those that its rows are of.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_answers")
    asked_at = models.DateTimeField()
    comment = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            CheckConstraint(
                condition=Q(answered_at=None, done=0, skipped=0)
                | Q(answered_at__isnull=False, rows=F("done") + F("skipped")),
                name="bulk_answer_given_to_each",
            ),
            CheckConstraint(
                condition=~Q(action="dismiss") | Q(answered_at=None) | ~Q(comment=""), name="bulk_answer_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"bulk answer {self.pk}"


class BulkAnswerRow(models.Model):
    """A row of a bulk answer: the repair that was made, confirmed or withdrawn, or why it was left alone; neither in a preview."""

    answer = models.ForeignKey(BulkAnswer, on_delete=models.PROTECT, db_index=False, related_name="results")
    row = models.ForeignKey(QuarantinedRow, on_delete=models.PROTECT, related_name="bulk_answers")
    repair = models.ForeignKey(Repair, on_delete=models.PROTECT, null=True, blank=True, related_name="bulk_answers")
    said = models.TextField(blank=True, help_text="Why it was left alone.")

    class Meta:
        ordering = ["answer", "row"]
        constraints = [
            UniqueConstraint(fields=["answer", "row"], name="bulk_answer_once_per_row"),
            CheckConstraint(condition=Q(repair=None) | Q(said=""), name="bulk_answer_row_one_result"),
        ]

    def __str__(self) -> str:
        return f"{self.answer} {self.row}"
