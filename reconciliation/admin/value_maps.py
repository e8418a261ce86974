"""Value maps: an entry per code of the other side that a source writes in another way."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export.fields import Field

from ingestion.admin.carried import ServedAdmin
from ingestion.admin.resources import CodeWidget, ServiceResource, TextWidget
from ingestion.changes import Change
from ingestion.models import CodeTranslation, Source
from ingestion.translations import drop_translations, put_translation
from reconciliation.admin.filters import SourceFilter
from reconciliation.visibility import visible_sources


class ValueMapResource(ServiceResource):
    """A row per entry, found by source, field and the other side's value."""

    needed = ("source", "field", "a_value", "b_value")
    source = Field("source", "source", CodeWidget(Source))
    field = Field("field", "field", TextWidget())
    a_value = Field("a_value", "a_value", TextWidget())
    b_value = Field("b_value", "b_value", TextWidget())

    class Meta:
        model = CodeTranslation
        import_id_fields = ("source", "field", "a_value")
        fields = ("source", "field", "a_value", "b_value")

    def __init__(self, user: Any = None, **kwargs: object) -> None:  # noqa: ANN401
        super().__init__(user=user, **kwargs)
        if user is not None:
            self.fields["source"].widget.known_to(visible_sources(user).select_related("record_type"))

    def write(self, instance: CodeTranslation) -> list[Change]:
        """Add the entry, or give the value another translation."""
        return put_translation(
            source=instance.source, field=instance.field, a_value=instance.a_value, b_value=instance.b_value
        )

    def stored(self, instance: CodeTranslation) -> QuerySet[CodeTranslation]:
        """By source, field and A's value."""
        return CodeTranslation.objects.filter(
            source=instance.source, field=instance.field, a_value=instance.a_value, b_value=instance.b_value
        )


@admin.register(CodeTranslation)
class ValueMapAdmin(ServedAdmin):
    """Known differences of codes; a difference that one explains is SYSTEM_CONVERSION."""

    resource = ValueMapResource
    fixed = ("source", "field", "a_value")
    list_display = ("source", "field", "a_value", "b_value")
    list_display_links = ("a_value",)
    list_filter = (SourceFilter,)
    list_select_related = ("source",)
    search_fields = ("field", "a_value", "b_value")
    fields = ("source", "field", "a_value", "b_value")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodeTranslation]:
        """Those of the user's sources."""
        return super().get_queryset(request).filter(source__in=visible_sources(request.user))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        """The user's sources."""
        return super().formfield_for_foreignkey(db_field, request, queryset=visible_sources(request.user), **kwargs)

    def delete_model(self, request: HttpRequest, obj: CodeTranslation) -> None:
        """Through the service."""
        drop_translations(source=obj.source, ids=[obj.pk])
