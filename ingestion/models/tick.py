"""Tick: a due time of a schedule, and who has it."""

from django.db import models
from django.db.models import UniqueConstraint


class Tick(models.Model):
    """A due time that was met. Whoever inserts the row does what is due; a second one cannot."""

    task = models.CharField(max_length=100)
    code = models.CharField(max_length=41, blank=True, help_text="The source or reconciliation; empty: all of them.")
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="When it is tried again, while it is not done.")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-due_at", "-id"]
        verbose_name = "due time"
        constraints = [UniqueConstraint(fields=["task", "code", "due_at"], name="tick_once_a_due_time")]

    def __str__(self) -> str:
        return f"{self.task} {self.code} {self.due_at:%Y-%m-%d %H:%M:%S}"
