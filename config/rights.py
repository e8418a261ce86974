"""A user's rights in one query, where Django asks for the user's own and for those of the groups separately."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Model

from ingestion.prepared import PK, SMALL_PK, prepared


class RightsBackend(ModelBackend):
    """Django's own backend; only the way of asking differs."""

    def get_user(self, user_id: int) -> User | None:
        """Who is signed in; None for who may not be any more."""
        found = prepared("user", lambda: User.objects.filter(pk=SMALL_PK), {SMALL_PK: user_id})
        return found[0] if found and self.user_can_authenticate(found[0]) else None

    def has_perm(self, user_obj: User | AnonymousUser, perm: str, obj: Model | None = None) -> bool:
        """Whether the user has a right; the one that is missing stands on the user, for the page that says so."""
        has = super().has_perm(user_obj, perm, obj)
        if not has and getattr(user_obj, "refused_right", "").replace(".view_", ".change_") != perm:  # either lets look
            user_obj.refused_right = perm  # type: ignore[union-attr]
        return has

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: Model | None = None) -> set[str]:
        """The rights as `app.code`; asked once a user object, as Django does."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            user_obj._perm_cache = {f"{app}.{code}" for app, code in _rights_of(user_obj)}  # type: ignore[attr-defined]
        return user_obj._perm_cache  # type: ignore[attr-defined]


def _rights_of(user: User) -> list[tuple[str, str]]:
    rights = Permission.objects.order_by().values_list("content_type__app_label", "codename")
    if user.is_superuser:
        return list(rights)
    return prepared("rights", lambda: rights.filter(user=PK).union(rights.filter(group__user=PK)), {PK: user.pk})
