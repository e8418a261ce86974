"""ChampionChange: who put which model in whose place, and on what grounds."""

from django.db import models
from django.db.models import CheckConstraint, F, Q

from reconciliation.models import Reconciliation


class ChampionChange(models.Model):
    """A step of a reconciliation's models: rows are added, never changed, so the newest one says who has to speak. Models stand as
    their numbers, so that a model that was deleted is missed."""

    class Verb(models.TextChoices):
        PROMOTE = "promote", "Promoted"
        ROLL_BACK = "roll_back", "Rolled back"

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="champion_changes")
    verb = models.CharField(max_length=9, choices=Verb.choices)
    version = models.PositiveIntegerField(
        null=True, blank=True, help_text="Who speaks from then on; empty: the provers."
    )
    before = models.PositiveIntegerField(null=True, blank=True, help_text="Who spoke until then; empty: the provers.")
    by = models.CharField(max_length=150, help_text="A person, or `rule`.")
    at = models.DateTimeField()
    allowed = models.BooleanField(default=True, help_text="Whether the rule allowed it.")
    verdict = models.JSONField(default=list, help_text="The rule's conditions then: code, whether it held, sentence.")
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            CheckConstraint(
                condition=Q(allowed=True) | ~Q(comment=""), name="champion_change_against_the_rule_has_a_comment"
            ),
            CheckConstraint(
                condition=Q(version=None) | Q(before=None) | ~Q(version=F("before")), name="champion_change_changes"
            ),
            CheckConstraint(
                condition=Q(verb="roll_back") | Q(version__isnull=False), name="champion_change_to_a_model"
            ),
        ]

    def __str__(self) -> str:
        who = f"model {self.version}" if self.version else "the provers"
        return f"{self.reconciliation}: {who}"
