"""Reason: a code that explains a difference."""

from django.core.validators import RegexValidator
from django.db import models

from ingestion.history import kept
from ingestion.models.record_type import CARRIED


@kept
class Reason(models.Model):
    """A reason code. `functional` is true for an expected, business-justified cause, null for UNKNOWN alone."""

    code = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9_]*$", "A reason code is upper-case letters, digits and _.")],
    )
    label = models.CharField(max_length=200, blank=True)
    functional = models.BooleanField(null=True, blank=True)
    active = models.BooleanField(default=True)
    description = models.TextField(blank=True)

    class Meta:
        default_permissions = CARRIED
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code="UNKNOWN", functional=None)
                | (~models.Q(code="UNKNOWN") & models.Q(functional__isnull=False)),
                name="reason_unknown_alone_is_neither",
                violation_error_message="UNKNOWN alone is neither functional nor an error; any other reason is one of the two.",
            )
        ]

    def __str__(self) -> str:
        return self.code
