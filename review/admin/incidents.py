"""Incidents: breaks of one signature that surged together. They are decided on their own page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin
from ingestion.person import person_of
from reconciliation.admin.filters import ReconciliationFilter
from review.incidents.standing import signature_text, visible_incidents
from review.models import Incident


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Incidents with how many breaks they began with, and how many are usual."""

    page = "incident"
    related = ("reconciliation", "run", "last_run")
    list_display = ("id", "reconciliation", "reason", "signature", "state", "breaks", "usual", "run", "found_at")
    list_filter = (ReconciliationFilter, "state", "found_at")
    search_fields = ("reason", "segment")
    search_help_text = "A part of a reason or of a segment."
    fields = readonly_fields = (
        "reconciliation", "reason", "signature", "state", "breaks", "usual", "runs", "run", "last_run", "found_at",
    )  # fmt: skip

    def visible(self, request: HttpRequest) -> QuerySet[Incident]:
        """Those of the user's reconciliations."""
        return visible_incidents(person_of(request))

    def signature(self, incident: Incident) -> str:
        """What its breaks have in common."""
        return signature_text(incident)
