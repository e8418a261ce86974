"""Mapping versions that are proposed where a source's columns changed. They are answered on their delivery's page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion.admin.read_only import ReadOnlyAdmin, document
from ingestion.models import MappingProposal
from reconciliation.admin.filters import SourceFilter, through
from review.proposals import visible_proposals


@admin.register(MappingProposal)
class MappingProposalAdmin(ReadOnlyAdmin):
    """What a reading found, and who answered it."""

    page = "delivery"
    related = ("normalization__delivery__source", "normalization__mapping__source", "accepted_as__source", "decided_by")
    list_display = (
        "id",
        "normalization",
        "state",
        "received",
        "normalized",
        "flagged_values",
        "created_at",
        "decided_by",
    )
    list_filter = (through(SourceFilter, "normalization__delivery__source"), "state", "created_at")
    fields = readonly_fields = (
        "normalization", "state", "received", "normalized", "flagged_values", "proposed", "reasons", "created_at",
        "decided_by", "decided_at", "comment", "accepted_as",
    )  # fmt: skip
    proposed = document("document", "mapping")
    reasons = document("why")

    def visible(self, request: HttpRequest) -> QuerySet[MappingProposal]:
        """Those of the user's sources."""
        return visible_proposals(request.user)

    def shown_by(self, obj: MappingProposal) -> int:
        """The page is the delivery's."""
        return obj.normalization.delivery_id
