"""Corrections: the training table."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from attribution.models import Correction
from ingestion.admin.read_only import ReadOnlyAdmin
from reconciliation.admin.filters import ReconciliationFilter, through
from reconciliation.models import Reconciliation


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    """Differences with the reason that a person confirmed."""

    related = ("difference__brk__reconciliation",)
    list_display = ("id", "key", "field", "predicted", "reason_id", "confirmed_by", "confirmed_at", "active")
    list_filter = (through(ReconciliationFilter, "difference__brk__reconciliation"), "reason", "active")
    search_fields = ("difference__brk__key__startswith", "confirmed_by")
    search_help_text = "The beginning of a key, or a part of a user's name."
    fields = readonly_fields = (
        "difference", "predicted", "reason", "decision", "confirmed_by", "confirmed_at", "active",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[Correction]:
        """Those of the user's reconciliations."""
        mine = Reconciliation.objects.visible_to(request.user)
        return Correction.objects.filter(difference__brk__reconciliation__in=mine)

    def key(self, correction: Correction) -> str:
        """The break's key."""
        return correction.difference.brk.key

    def field(self, correction: Correction) -> str:
        """The difference's field."""
        return correction.difference.field
