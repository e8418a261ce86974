"""Decisions: what people did."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from reconciliation.admin.filters import ReconciliationFilter, through
from reconciliation.models import access_of
from review.models import Decision, DecisionValue


class ValueInline(ReadOnlyRows, admin.TabularInline):
    """The values that an override gave."""

    model = DecisionValue
    fields = readonly_fields = ("field", "value")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Approvals, overrides and rejections."""

    page = "break"
    related = ("brk__reconciliation", "run", "chosen", "proposed_by", "confirmed_by", "undone_by")
    list_display = ("id", "brk", "action", "reason", "proposed_by", "proposed_at", "confirmed_by", "confirmed_at")
    list_filter = (
        through(ReconciliationFilter, "brk__reconciliation"),
        "action",
        "withdrawn",
        ("undone_at", admin.EmptyFieldListFilter),
        "proposed_at",
    )
    search_fields = ("brk__key__startswith", "reason", "proposed_by__username")
    search_help_text = "The beginning of a key, a part of a reason or of a user's name."
    fields = readonly_fields = (
        "brk", "run", "action", "reason", "chosen", "comment", "proposed_by", "proposed_at", "confirmed_by",
        "confirmed_at", "four_eyes", "withdrawn", "undone_by", "undone_at", "undo_comment", "stored",
    )  # fmt: skip
    inlines = (ValueInline,)
    stored = document("record")

    def shown_by(self, obj: Decision) -> int:
        """The page is the break's."""
        return obj.brk_id

    def visible(self, request: HttpRequest) -> QuerySet[Decision]:
        """Those of the user's reconciliations."""
        return Decision.objects.filter(access_of(request.user).holds("brk__"))
