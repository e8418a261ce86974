"""Scope: which teams see which values of a reconciliation's scope field, and the values that breaks stand in."""

from django.db import models
from django.db.models import UniqueConstraint

from ingestion.history import kept

LONGEST = 200  # characters of a value that a team can be given


@kept
class TeamScope(models.Model):
    """A value of the scope field that a team sees; the empty value is that of records without one."""

    reconciliation = models.ForeignKey(
        "reconciliation.Reconciliation", on_delete=models.PROTECT, related_name="team_scopes"
    )
    team = models.ForeignKey("reconciliation.Team", on_delete=models.PROTECT, related_name="scopes")
    value = models.CharField(max_length=LONGEST, blank=True)

    class Meta:
        ordering = ["reconciliation", "team", "value"]
        constraints = [UniqueConstraint(fields=["reconciliation", "team", "value"], name="team_scope_once")]

    def __str__(self) -> str:
        return f"{self.reconciliation} {self.value or 'empty'}: {self.team}"


class Scope(models.Model):
    """The values of the scope field that the rows of a break have together: one, or several where its sides differ. Breaks with
    the same values share it, so that a query compares numbers."""

    reconciliation = models.ForeignKey(
        "reconciliation.Reconciliation", on_delete=models.PROTECT, related_name="scopes", db_index=False
    )
    digest = models.CharField(max_length=32, help_text="md5 of its values in their order.")

    class Meta:
        ordering = ["id"]
        constraints = [UniqueConstraint(fields=["reconciliation", "digest"], name="scope_once_per_values")]

    def __str__(self) -> str:
        return f"{self.reconciliation} scope {self.pk}"


class ScopeValue(models.Model):
    """One of the values of a scope."""

    scope = models.ForeignKey(Scope, on_delete=models.PROTECT, related_name="held_values", db_index=False)
    value = models.TextField(blank=True)

    class Meta:
        ordering = ["scope", "value"]
        constraints = [UniqueConstraint(fields=["scope", "value"], name="scope_value_once")]

    def __str__(self) -> str:
        return self.value
