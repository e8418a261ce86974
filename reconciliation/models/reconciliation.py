"""Reconciliation and RuleSet: two sources of one record type, and the rules between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import (
    BooleanField,
    CheckConstraint,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    UniqueConstraint,
    Value,
)

from ingestion.history import kept
from ingestion.models import Calendar, RecordType, Source
from ingestion.models.record_type import CODE
from ingestion.prepared import anybody_like, prepared
from reconciliation.models.scope import ScopeValue, TeamScope

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


User = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Access:
    """What a user sees: ids of the reconciliations that they see as a whole, and of the scopes of others."""

    whole: Sequence[int]
    scopes: Sequence[int] = ()

    def holds(self, path: str = "", of: str = "") -> Q:
        """The condition on a break, which stands behind `path`; its reconciliation, which does not change, may stand nearer than
        the break itself, behind `of`."""
        seen = Q(**{f"{of or path}reconciliation__in": self.whole})
        return seen | Q(**{f"{path}scope__in": self.scopes}) if self.scopes else seen


class ReconciliationQuerySet(models.QuerySet["Reconciliation"]):
    """Reconciliations as a user may see them."""

    def visible_to(self, user: User) -> Self:
        """Those that a user sees as a whole: without a team, and of the user's teams; all of them with the right to see every team,
        none without the right to see any. One with a scope field and no team is seen as a whole by nobody else."""
        if not user.is_authenticated or not user.has_perm(SEES):  # type: ignore[attr-defined]
            return self.none()
        return self if user.has_perm(SEES_ALL) else self.filter(_whole(user))  # type: ignore[attr-defined]

    def entered_by(self, user: User) -> Self:
        """Those, and those of which a team of the user sees some values of the scope field. Each has `is_whole`; of the others
        `seen_values` are these values, and `seen_scopes` the ids of the scopes that have one of them."""
        nothing = Value([], models.JSONField())
        everything = self.annotate(is_whole=Value(value=True), seen_values=nothing, seen_scopes=nothing)
        if not user.is_authenticated or not user.has_perm(SEES):  # type: ignore[attr-defined]
            return everything.none()
        if user.has_perm(SEES_ALL):  # type: ignore[attr-defined]
            return everything
        given = TeamScope.objects.filter(team__in=user.teams.all())  # type: ignore[attr-defined]
        mine = given.filter(reconciliation=OuterRef("scope__reconciliation"), value=OuterRef("value"))
        seen = ScopeValue.objects.filter(Exists(mine), scope__reconciliation=OuterRef("pk"))
        is_whole = ExpressionWrapper(_whole(user), output_field=BooleanField())
        values = given.filter(reconciliation=OuterRef("pk")).order_by("value").values("value").distinct()
        found = self.annotate(
            is_whole=is_whole,
            seen_values=ArraySubquery(values),
            seen_scopes=ArraySubquery(seen.order_by("scope").values("scope").distinct()),
        )
        return found.filter(Q(is_whole=True) | Exists(values))


def _whole(user: User) -> Q:
    return Q(team=None, scope="") | Q(team__in=user.teams.all())  # type: ignore[union-attr]


def access_of(user: User) -> Access:
    """What a user sees, in one query; asked once a user object, as the rights are."""
    if not hasattr(user, "_access_cache"):
        rights, anybody, given = anybody_like(user)
        entered = prepared(("access", rights), lambda: Reconciliation.objects.entered_by(anybody).only("pk"), given)
        user._access_cache = access_to(entered)  # type: ignore[union-attr]
    return user._access_cache  # type: ignore[union-attr]


def access_to(entered: "Iterable[Reconciliation]") -> Access:
    """The same, of reconciliations that `entered_by` gave."""
    seen = list(entered)
    return Access(
        tuple(it.pk for it in seen if it.is_whole), tuple(pk for it in seen if not it.is_whole for pk in it.seen_scopes)
    )


@kept
class Reconciliation(models.Model):
    """Two sources of one RecordType. A is the authority unless a field says otherwise."""

    code = models.CharField(max_length=41, unique=True, validators=[CODE])
    label = models.CharField(max_length=200, blank=True)
    a = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="reconciled_as_a")
    b = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="reconciled_as_b")
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True)
    scope = models.CharField(
        max_length=83, blank=True, help_text="The field by whose values teams see a part of it; empty: there is none."
    )
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

    # Of what `entered_by` gives; otherwise nobody's view is a part of it.
    is_whole: bool = True
    seen_values: Sequence[str] = ()
    seen_scopes: Sequence[int] = ()

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
