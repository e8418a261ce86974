"""The model registry."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from attribution.models import ModelVersion
from ingestion.admin.read_only import ReadOnlyAdmin
from reconciliation.admin.filters import ReconciliationFilter
from reconciliation.models import Reconciliation


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Trained models; training alone makes and promotes them."""

    related = ("reconciliation", "parent__reconciliation")
    list_display = ("reconciliation", "version", "state", "labels", "trained_at")
    list_filter = (ReconciliationFilter, "state")
    fields = readonly_fields = (
        "reconciliation", "version", "state", "labels", "trained_at", "parent", "artifact_sha256",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Those of the user's reconciliations."""
        return ModelVersion.objects.filter(reconciliation__in=Reconciliation.objects.visible_to(request.user))
