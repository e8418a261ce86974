"""Corrections: the training table."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from attribution.admin.labels import LabelForm, LabelResource, LabelsTold
from attribution.models import Correction
from ingestion.admin.carried import Carried
from ingestion.admin.read_only import ReadOnlyAdmin
from reconciliation.admin.filters import ReconciliationFilter, through
from reconciliation.models import Reconciliation


@admin.register(Correction)
class CorrectionAdmin(Carried, ReadOnlyAdmin):
    """Differences with the reason that a person confirmed; files carry labels in and out."""

    import_form_class = LabelForm
    file_help = "An xlsx workbook is taken, too. A label belongs to the newest difference of its key and field."

    related = ("difference__brk__reconciliation", "replaced__difference")
    list_display = ("id", "key", "field", "predicted", "reason_id", "confirmed_by", "confirmed_at", "active")
    list_filter = (through(ReconciliationFilter, "difference__brk__reconciliation"), "reason", "active")
    search_fields = ("difference__brk__key__startswith", "confirmed_by")
    search_help_text = "The beginning of a key, or a part of a user's name."
    fields = readonly_fields = (
        "difference", "predicted", "reason", "decision", "confirmed_by", "confirmed_at", "active", "waiting_since", "replaced",
    )  # fmt: skip

    def get_resource_classes(self, request: HttpRequest) -> list[type[LabelResource]]:
        """The one resource."""
        return [LabelResource]

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        """The labels that models learn from, as the list is filtered."""
        return super().get_export_queryset(request).filter(active=True)

    def generate_log_entries(self, result: LabelsTold, request: HttpRequest) -> None:
        """The audit log tells of the import as a whole; here, who reads on is told what became of the rest."""
        if result.done is not None and result.done.kept:
            said = f"{result.done.kept:,} contradict a decision or a second opinion that was given here, which stands."
            messages.warning(request, said)
        if result.done is not None and result.done.waiting:
            messages.info(request, f"{result.done.waiting:,} contradict the model and wait for a second opinion.")

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
