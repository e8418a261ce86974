"""AuditAnswer and AuditReason: what a person said of a record that had passed, without knowing what the model said."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from attribution.models.draw import Draw
from attribution.models.reason import Reason
from reconciliation.models import Difference


class AuditAnswer(models.Model):
    """A blind answer. That the pass was right counts at once; that it was wrong, or that nobody can tell, asks a second person,
    whose answer counts. What the second person cannot tell either counts as wrong."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveSmallIntegerField()
    functional = models.BooleanField(
        null=True, help_text="Whether each named cause is functional; empty: the person could not tell."
    )
    counts = models.BooleanField(help_text="Whether the audit ends with this answer.")
    comment = models.TextField(blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="audit_answers")
    answered_at = models.DateTimeField()

    class Meta:
        ordering = ["draw", "number"]
        constraints = [
            UniqueConstraint(fields=["draw", "number"], name="audit_answer_once_per_number"),
            UniqueConstraint(fields=["draw", "answered_by"], name="audit_answer_once_per_person"),
            CheckConstraint(
                condition=Q(number=1, functional__isnull=False, functional=True, counts=True)
                | Q(number=1, functional__isnull=False, functional=False, counts=False)
                | Q(number=1, functional__isnull=True, counts=False)
                | Q(number=2, counts=True),
                name="audit_answer_second_person_decides",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.draw}: {self.said}"

    @property
    def said(self) -> str:
        """functional, not functional or cannot tell."""
        return "cannot tell" if self.functional is None else "functional" if self.functional else "not functional"


class AuditReason(models.Model):
    """The cause that an answer names for a difference."""

    answer = models.ForeignKey(AuditAnswer, on_delete=models.PROTECT, related_name="reasons")
    difference = models.ForeignKey(Difference, on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, to_field="code", related_name="+")

    class Meta:
        ordering = ["answer", "id"]
        constraints = [UniqueConstraint(fields=["answer", "difference"], name="audit_reason_once_per_difference")]

    def __str__(self) -> str:
        return f"{self.difference}: {self.reason_id}"
