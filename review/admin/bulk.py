"""Bulk decisions: what people did to many breaks at once."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.person import person_of
from review.bulk.bulks import visible_bulks
from review.models import BulkDecision


@admin.register(BulkDecision)
class BulkDecisionAdmin(ReadOnlyAdmin):
    """Bulk decisions and their undoing. The rows stand on the page of each."""

    page = "bulk"
    related = ("asked_by",)
    list_display = ("id", "action", "reason", "told", "rows", "done", "refused", "state", "asked_by", "asked_at")
    list_filter = ("action", "state", "asked_at")
    search_fields = ("asked_by__username", "told", "reason")
    search_help_text = "A part of a user's name, of a reason, or of what was chosen."
    fields = readonly_fields = (
        "action", "reason", "comment", "told", "rows", "done", "refused", "state", "error", "asked_by", "asked_at",
        "finished_at", "undoes", "incident",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[BulkDecision]:
        """Those whose every reconciliation the user may see."""
        return visible_bulks(person_of(request))
