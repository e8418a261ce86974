"""Reason codes: set up here, by definitions and by files."""

from django.contrib import admin
from django.db.models import QuerySet
from import_export.fields import Field

from attribution.models import Reason
from attribution.reasons import put_reason
from ingestion.admin.carried import ServedAdmin
from ingestion.admin.resources import ServiceResource, TextWidget, TruthWidget
from ingestion.changes import Change


class ReasonResource(ServiceResource):
    """A row per reason, found by its code."""

    needed = ("code",)
    code = Field("code", "code", TextWidget())
    label = Field("label", "label", TextWidget())
    functional = Field("functional", "functional", TruthWidget())
    active = Field("active", "active", TruthWidget(), default=True)
    description = Field("description", "description", TextWidget())

    class Meta:
        model = Reason
        import_id_fields = ("code",)
        fields = ("code", "label", "functional", "active", "description")

    def write(self, instance: Reason) -> list[Change]:
        """Add or change the reason."""
        return put_reason(
            code=instance.code,
            label=instance.label,
            functional=instance.functional,
            active=instance.active,
            description=instance.description,
        )

    def stored(self, instance: Reason) -> QuerySet[Reason]:
        """By code."""
        return Reason.objects.filter(code=instance.code)


@admin.register(Reason)
class ReasonAdmin(ServedAdmin):
    """The codes that explain differences. A reason is never deleted; one that is out of use is not active."""

    resource = ReasonResource
    fixed = ("code",)
    list_display = ("code", "label", "functional", "active")
    list_filter = ("functional", "active")
    search_fields = ("code", "label", "description")
    fields = ("code", "label", "functional", "active", "description")

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Never: attributions and corrections name it."""
        return False
