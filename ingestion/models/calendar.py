"""Calendar: weekend and holidays, named by sources and reconciliations."""

from django.db import models
from django.db.models import UniqueConstraint

from ingestion.history import kept
from ingestion.models.record_type import CARRIED, CODE


@kept
class Calendar(models.Model):
    """A week's working days and its holidays. `weekend` holds ISO weekdays, 1 = Monday to 7 = Sunday."""

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    weekend = models.JSONField(default=list, blank=True)

    class Meta:
        default_permissions = CARRIED
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


@kept
class Holiday(models.Model):
    """A day on which a calendar does not work."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = CARRIED
        ordering = ["calendar", "day"]
        constraints = [UniqueConstraint(fields=["calendar", "day"], name="holiday_once_per_calendar")]

    def __str__(self) -> str:
        return f"{self.calendar} {self.day}"
