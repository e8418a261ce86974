"""Users: an Administrator gives roles, but makes no superuser and does not touch one."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

BEYOND_ROLES = ("is_superuser", "user_permissions")

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People and their roles. Nobody is deleted: what they decided names them; who left is not active."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active", "is_staff")
    actions = None

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:  # noqa: ANN401
        """Rights come through roles; only a superuser gives others."""
        sets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:  # type: ignore[union-attr]
            return sets
        return [
            (title, {**shown, "fields": [name for name in shown["fields"] if name not in BEYOND_ROLES]})
            for title, shown in sets
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser is changed by another superuser only, the password included."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:  # type: ignore[union-attr]
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never."""
        return False
