"""Hold: a break that people put aside for a while. It stays open for runs, and counts as in review."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from reconciliation.models.break_ import Break


class Hold(models.Model):
    """A break put on hold until a moment, or until a named party answers; the open one of a break gives it the band `held`."""

    brk = models.ForeignKey(Break, on_delete=models.PROTECT, db_index=False, related_name="holds", db_column="break_id")
    until = models.DateTimeField(
        null=True, blank=True, help_text="It returns by itself then; null: when somebody takes it off."
    )
    party = models.CharField(max_length=200, blank=True, help_text="Whose answer is awaited.")
    note = models.TextField()
    band = models.CharField(max_length=9, blank=True, help_text="The break's band before, which it gets again.")
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="holds")
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Who took it off or decided; null: its date came, or a run found something else.",
    )  # fmt: skip
    ended_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["brk"], name="hold_by_break"),
            models.Index(fields=["until"], condition=Q(ended_at=None), name="hold_by_until"),
        ]
        constraints = [
            UniqueConstraint(fields=["brk"], condition=Q(ended_at=None), name="hold_one_open_per_break"),
            CheckConstraint(condition=Q(until__isnull=False) | ~Q(party=""), name="hold_awaits_something"),
            CheckConstraint(condition=Q(until=None) | Q(until__gt=F("held_at")), name="hold_until_is_later"),
            CheckConstraint(
                condition=Q(ended_at=None, ended_because="", ended_by=None)
                | (Q(ended_at__gte=F("held_at")) & ~Q(ended_because="")),
                name="hold_end_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    @property
    def awaits(self) -> str:
        """Until when it waits and for whom: `until 3 Dec 2026`, `for an answer of Custodian X`."""
        parts = [f"until {self.until:%-d %b %Y}"] if self.until else []
        return ", ".join([*parts, f"for an answer of {self.party}"] if self.party else parts)
