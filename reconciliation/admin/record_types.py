"""Record types with their fields, and what the store holds of them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows
from ingestion.models import Field, RecordType
from reconciliation.admin.stored import StoredAdmin
from reconciliation.store.ddl import ensure_tables
from reconciliation.visibility import visible_record_types


class FieldRows(ReadOnlyRows, admin.TabularInline):
    """The fields, of every generation."""

    model = Field
    fk_name = "record_type"
    related = ("record_type", "refers_to")
    ordering = ("-generation", "position")
    fields = readonly_fields = (
        "generation", "since", "code", "label", "kind", "digits", "places", "refers_to", "is_key", "choices", "sensitive",
    )  # fmt: skip


@admin.register(RecordType)
class RecordTypeAdmin(ReadOnlyAdmin):
    """What canonical records are; a definition changes them."""

    list_display = ("code", "label", "schema_version", "generation", "stored")
    search_fields = ("code", "label")
    fields = readonly_fields = ("code", "label", "schema_version", "generation", "stored")
    inlines = (FieldRows,)

    def visible(self, request: HttpRequest) -> QuerySet[RecordType]:
        """Those of the user's sources, and what they refer to."""
        return visible_record_types(request.user)

    def get_urls(self) -> list[URLPattern]:
        """The stored rows, beside the pages."""
        doors = (
            ("", "stored", "changelist_view"),
            ("import/", "stored_import", "import_action"),
            ("process_import/", "stored_process_import", "process_import"),
            ("export/", "stored_export", "export_action"),
        )
        own = [
            path(
                f"<int:pk>/stored/{tail}",
                self.admin_site.admin_view(self.stored_view),
                {"door": door},
                name=f"ingestion_recordtype_{name}",
            )
            for tail, name, door in doors
        ]
        return [*own, *super().get_urls()]

    def stored_view(self, request: HttpRequest, pk: int, door: str) -> HttpResponse:
        """Lists, imports or exports the rows of one record type."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record_type = get_object_or_404(self.get_queryset(request), pk=pk)
        answer: Any = getattr(StoredAdmin(ensure_tables(record_type), self.admin_site), door)
        return answer(request, **({"extra_context": {"record_type": record_type}} if door == "changelist_view" else {}))

    @admin.display(description="store")
    def stored(self, record_type: RecordType) -> SafeString:
        """The way to the stored rows."""
        url = reverse("admin:ingestion_recordtype_stored", args=[record_type.pk])
        return format_html('<a href="{}">Stored records</a>', url)
