"""Runs with their inputs and steps."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, ReadOnlyRows, document
from reconciliation.admin.filters import ReconciliationFilter
from reconciliation.models import Run, RunInput, RunStep


class InputInline(ReadOnlyRows, admin.TabularInline):
    """The normalizations that the run takes."""

    model = RunInput
    related = ("run", "normalization__delivery__source", "normalization__mapping__source")
    fields = readonly_fields = ("side", "normalization")


class StepInline(ReadOnlyRows, admin.TabularInline):
    """The steps, a line per range of buckets."""

    model = RunStep
    related = ("run",)
    fields = readonly_fields = (
        "step", "first_bucket", "last_bucket", "state", "queue", "worker", "attempts", "records", "error",
    )  # fmt: skip


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Executions for a business date."""

    related = ("reconciliation", "rule_set__reconciliation")
    list_display = ("id", "reconciliation", "business_date", "state", "started_at", "finished_at", "started_by")
    list_filter = (ReconciliationFilter, "state", "business_date")
    search_fields = ("started_by", "error")
    fields = readonly_fields = (
        "reconciliation", "rule_set", "model_version", "business_date", "state", "created_at", "started_at",
        "finished_at", "started_by", "error", "reported",
    )  # fmt: skip
    inlines = (InputInline, StepInline)
    reported = document("report")

    def visible(self, request: HttpRequest) -> QuerySet[Run]:
        """Those of the user's reconciliations."""
        return Run.objects.visible_to(request.user)
