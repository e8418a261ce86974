"""Exports: what left, and for whom."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.person import person_of
from review.exporting import visible_exports
from review.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Exports: one's own, or everybody's with the right to see them."""

    related = ("asked_by",)
    list_display = ("id", "what", "format", "rows", "asked_by", "asked_at", "state", "expires_at")
    list_filter = ("what", "format", "state", "asked_at")
    search_fields = ("asked_by__username", "sha256__startswith")
    search_help_text = "A part of a user's name, or the beginning of a sha256."
    fields = readonly_fields = (
        "what", "format", "filters", "columns", "asked_by", "asked_at", "state", "rows", "is_cut", "size", "sha256",
        "expires_at", "removed_at", "error",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[Export]:
        """Those that the user may see."""
        return visible_exports(person_of(request))
