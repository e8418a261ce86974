"""Users and roles: an Administrator gives roles, but makes no superuser and does not touch one. Each change of who may what is
told in the audit log, in the transaction that makes it."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from ingestion.audit_log import record_event

BEYOND_ROLES = ("is_superuser", "user_permissions")

FLAGS = ("username", "is_active", "is_staff", "is_superuser")

admin.site.unregister(User)
admin.site.unregister(Group)


class Told(admin.ModelAdmin):
    """A page whose changes of rights are told in the audit log."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """Keep what was, for `save_related`."""
        obj.rights_before = _rights_of(type(obj)._default_manager.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401, FBT001
        """The roles or permissions, and the event."""
        super().save_related(request, form, formsets, change)
        thing = form.instance
        after = _rights_of(thing)
        if after != thing.rights_before:
            record_event("person.changed", of=thing, by=request.user, before=thing.rights_before, after=after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:  # noqa: ANN401
        """A role that goes takes its rights with it."""
        record_event("person.changed", of=obj, by=request.user, before=_rights_of(obj))
        super().delete_model(request, obj)


@admin.register(Group)
class RoleAdmin(Told, GroupAdmin):
    """Roles and their rights, one at a time: each change is an event."""

    actions = None


@admin.register(User)
class PersonAdmin(Told, UserAdmin):
    """People and their roles. Nobody is deleted: what they decided names them; who left is not active."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active", "is_staff")
    actions = None
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")  # nobody writes these by hand

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """The password and its event, or neither."""
        return super().user_change_password(request, id, form_url)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:  # noqa: ANN401
        """Rights come through roles; only a superuser gives others."""
        sets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return sets
        return [
            (title, {**shown, "fields": [name for name in shown["fields"] if name not in BEYOND_ROLES]})
            for title, shown in sets
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser is changed by another superuser only, the password included."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never."""
        return False


def _rights_of(thing: User | Group) -> dict[str, object]:
    """What decides what somebody may."""
    if isinstance(thing, Group):
        rights = thing.permissions.values_list("content_type__app_label", "codename").order_by()
        return {"name": thing.name, "permissions": sorted(".".join(right) for right in rights)}
    rights = thing.user_permissions.values_list("content_type__app_label", "codename").order_by()
    return {
        **{name: getattr(thing, name) for name in FLAGS},
        "roles": sorted(thing.groups.values_list("name", flat=True)),
        "permissions": sorted(".".join(right) for right in rights),
    }
