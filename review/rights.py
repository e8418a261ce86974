"""Who has a right: by a role, by its own, or as a superuser. And who sees a break."""

from django.contrib.auth.models import User
from django.db.models import Q

from reconciliation.models import Break, ScopeValue, Team, TeamScope
from reconciliation.models.reconciliation import SEES, SEES_ALL

DECIDES, CONFIRMS = "review.add_decision", "review.change_decision"
PROGRAMS = "API client"  # the role of users that are no people


def with_right(right: str) -> Q:
    """The users who have a right such as `review.add_decision`."""
    app, code = right.split(".")
    names = {"codename": code, "content_type__app_label": app}
    own = User.objects.filter(**{f"user_permissions__{name}": value for name, value in names.items()})
    by_role = User.objects.filter(**{f"groups__permissions__{name}": value for name, value in names.items()})
    return Q(is_superuser=True) | Q(pk__in=own.values("pk")) | Q(pk__in=by_role.values("pk"))


def who_sees(brk: Break) -> Q:
    """The users for whom `Break.objects.visible_to` gives a break; whether they are active is another question."""
    of = brk.reconciliation
    if of.team_id is None and not of.scope:
        return with_right(SEES)
    values = ScopeValue.objects.filter(scope=brk.scope_id).values("value")
    given = TeamScope.objects.filter(reconciliation=of, value__in=values)
    teams = Team.objects.filter(Q(pk=of.team_id) | Q(scopes__in=given))
    members = User.objects.filter(teams__in=teams)
    return with_right(SEES) & (with_right(SEES_ALL) | Q(pk__in=members.values("pk")))
