"""AlertReading and AlertChoice: what a person read of the alerts, and how they want to hear of them."""

from django.conf import settings
from django.db import models
from django.db.models import UniqueConstraint

from ingestion.models import Alert


class AlertReading(models.Model):
    """A person read an alert. It is unread again when it comes again after that."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="alert_readings"
    )
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="readings")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [UniqueConstraint(fields=["person", "alert"], name="alert_reading_once")]

    def __str__(self) -> str:
        return f"{self.person} read {self.alert_id}"


class AlertChoice(models.Model):
    """How a person wants to hear of an event, where that is not as the event has it by itself."""

    class Mail(models.TextChoices):
        IMMEDIATE = "immediate", "At once"
        DIGEST = "digest", "Once a day"
        NONE = "none", "No mail"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="alert_choices"
    )
    event = models.CharField(max_length=40)
    mail = models.CharField(max_length=9, choices=Mail.choices)
    muted = models.BooleanField(default=False, help_text="Listed in the inbox, but neither counted nor mailed.")

    class Meta:
        ordering = ["event"]
        constraints = [UniqueConstraint(fields=["person", "event"], name="alert_choice_once_an_event")]

    def __str__(self) -> str:
        return f"{self.person}: {self.event} {self.mail}"
