"""Deliveries with what was made of them, and the rows that could not be read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from ingestion.models import Delivery, Normalization, QuarantinedRow
from reconciliation.admin.filters import SourceFilter, through
from reconciliation.visibility import visible_deliveries, visible_sources


class NormalizationInline(ReadOnlyRows, admin.StackedInline):
    """What each mapping version made of the delivery."""

    model = Normalization
    related = ("mapping__source", "delivery__source")  # its name shows them
    fields = readonly_fields = (
        "mapping", "state", "received", "normalized", "quarantined", "flagged_values", "detected", "said", "asked",
        "worker", "attempts", "started_at", "finished_at", "error",
    )  # fmt: skip
    detected = document("format")
    said = document("notes")
    asked = document("questions")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What sources handed over."""

    page = "delivery"
    related = ("source",)
    list_display = ("id", "source", "business_date", "file_name", "size", "received_at", "received_by")
    list_filter = (SourceFilter, "business_date")
    search_fields = ("file_name", "sha256__startswith")
    search_help_text = "A part of the file's name, or the beginning of its SHA-256."
    fields = readonly_fields = (
        "source", "business_date", "file_name", "size", "sha256", "path", "received_at", "received_by",
    )  # fmt: skip
    inlines = (NormalizationInline,)

    def visible(self, request: HttpRequest) -> QuerySet[Delivery]:
        """The deliveries of the user's sources."""
        return visible_deliveries(request.user)


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ReadOnlyAdmin):
    """Rows that were broken as rows."""

    page = "quarantined"
    related = ("normalization__delivery__source", "normalization__mapping__source")
    list_display = ("record_number", "delivery", "line", "reason", "raw_start")
    list_filter = (through(SourceFilter, "normalization__delivery__source"),)
    search_fields = ("reason", "raw")
    fields = readonly_fields = ("normalization", "record_number", "line", "reason", "raw")

    def visible(self, request: HttpRequest) -> QuerySet[QuarantinedRow]:
        """The rows of the user's sources."""
        return QuarantinedRow.objects.filter(normalization__delivery__source__in=visible_sources(request.user))

    def delivery(self, row: QuarantinedRow) -> Delivery:
        """The delivery that has the row."""
        return row.normalization.delivery

    @admin.display(description="raw text")
    def raw_start(self, row: QuarantinedRow) -> str:
        """The beginning of the raw text."""
        return row.raw[:120]
