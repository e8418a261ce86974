"""Who has a right: by a role, by its own, or as a superuser."""

from django.contrib.auth.models import User
from django.db.models import Q


def with_right(right: str) -> Q:
    """The users who have a right such as `review.add_decision`."""
    app, code = right.split(".")
    names = {"codename": code, "content_type__app_label": app}
    own = User.objects.filter(**{f"user_permissions__{name}": value for name, value in names.items()})
    by_role = User.objects.filter(**{f"groups__permissions__{name}": value for name, value in names.items()})
    return Q(is_superuser=True) | Q(pk__in=own.values("pk")) | Q(pk__in=by_role.values("pk"))
