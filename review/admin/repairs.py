"""Repairs: what people did with quarantined rows."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows
from ingestion.models import Repair, RepairedCell
from ingestion.person import person_of
from reconciliation.admin.filters import SourceFilter, through
from reconciliation.visibility import visible_sources
from review.bulk_answers.choosing import given_answers
from review.models import BulkAnswer


class CellInline(ReadOnlyRows, admin.TabularInline):
    """The cells as they came and as they are now."""

    model = RepairedCell
    fields = readonly_fields = ("position", "column", "was", "value")


@admin.register(Repair)
class RepairAdmin(ReadOnlyAdmin):
    """Repairs and dismissals."""

    related = ("row__normalization__delivery__source", "proposed_by", "confirmed_by", "delivery__source")
    list_display = (
        "id",
        "row",
        "action",
        "comment",
        "proposed_by",
        "proposed_at",
        "confirmed_by",
        "delivery",
        "withdrawn",
    )
    list_filter = (through(SourceFilter, "row__normalization__delivery__source"), "action", "withdrawn", "proposed_at")
    search_fields = ("comment", "proposed_by__username")
    search_help_text = "A part of the comment, or of a user's name."
    fields = readonly_fields = (
        "row", "action", "comment", "proposed_by", "proposed_at", "confirmed_by", "confirmed_at", "four_eyes", "withdrawn",
        "delivery", "record_number",
    )  # fmt: skip
    inlines = (CellInline,)

    def visible(self, request: HttpRequest) -> QuerySet[Repair]:
        """Those of the user's sources."""
        return Repair.objects.filter(row__normalization__delivery__source__in=visible_sources(request.user))


@admin.register(BulkAnswer)
class BulkAnswerAdmin(ReadOnlyAdmin):
    """What people said of many quarantined rows at once. The rows stand on the page of each."""

    page = "bulk_answer"
    related = ("asked_by",)
    list_display = ("id", "action", "told", "rows", "done", "skipped", "asked_by", "answered_at")
    list_filter = ("action", "answered_at")
    search_fields = ("asked_by__username", "told", "comment")
    search_help_text = "A part of a user's name, of the comment, or of what was chosen."
    fields = readonly_fields = ("action", "told", "comment", "rows", "done", "skipped", "asked_by", "answered_at")

    def visible(self, request: HttpRequest) -> QuerySet[BulkAnswer]:
        """Those that were given, of sources that the user may see."""
        return given_answers(person_of(request))
