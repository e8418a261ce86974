"""Reconciliation and RuleSet: two sources of one record type, and the rules between them."""

from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ingestion.history import kept
from ingestion.models import Calendar, RecordType, Source
from ingestion.models.record_type import CODE

TRAINS_AFTER = 100
SEES, SEES_ALL = "reconciliation.view_reconciliation", "reconciliation.see_every_team"


@kept
class Team(models.Model):
    """The people who work on a reconciliation."""

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="teams")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.label or self.code


class ReconciliationQuerySet(models.QuerySet["Reconciliation"]):
    """Reconciliations as a user may see them."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Those without a team, and those of the user's teams; all of them with the right to see every team, none without
        the right to see any."""
        if not user.is_authenticated or not user.has_perm(SEES):  # type: ignore[attr-defined]
            return self.none()
        if user.has_perm(SEES_ALL):  # type: ignore[attr-defined]
            return self
        return self.filter(Q(team=None) | Q(team__in=user.teams.all()))  # type: ignore[attr-defined]


@kept
class Reconciliation(models.Model):
    """Two sources of one RecordType. A is the authority unless a field says otherwise."""

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    a = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="reconciled_as_a")
    b = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="reconciled_as_b")
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True)
    four_eyes = models.BooleanField(default=False)
    runs_on_arrival = models.BooleanField(
        default=False, help_text="A run starts by itself when both sides of a business date have arrived."
    )
    trains_after = models.PositiveIntegerField(
        default=TRAINS_AFTER,
        help_text="A model is trained when so many corrections are new since the last training; 0: never.",
    )
    promotes_by_rule = models.BooleanField(
        default=False, help_text="A trained model that the rule allows becomes the champion by itself."
    )
    rules = models.JSONField(
        default=dict, help_text="match, compare, authority, gate and provers, as the definition has them."
    )

    objects = ReconciliationQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        permissions = [("see_every_team", "Can see the reconciliations of every team")]
        constraints = [CheckConstraint(condition=~Q(a=F("b")), name="reconciliation_has_two_sources")]

    def __str__(self) -> str:
        return self.code

    @property
    def title(self) -> str:
        """The name that people read."""
        return self.label or self.code.replace("_", " ").capitalize()

    @property
    def record_type(self) -> RecordType:
        """What both sources deliver."""
        return self.a.record_type


class RuleSet(models.Model):
    """An immutable version of everything that decides: rules, calendar, translations, reasons, prover settings."""

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="rule_sets")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["reconciliation", "version"]
        constraints = [UniqueConstraint(fields=["reconciliation", "version"], name="rule_set_version_once")]

    def __str__(self) -> str:
        return f"{self.reconciliation} rules {self.version}"
